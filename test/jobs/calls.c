// Loaded by a hostile job as an add-on would be: makes calls that no script can, and writes what the kernel said of each.
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static FILE *out;

static void tell(const char *what, long answer) {
  fprintf(out, "%s %d\n", what, answer < 0 ? errno : 0);
}

__attribute__((constructor)) static void attack(void) {
  FILE *numbers = fopen("/job/in/numbers", "r");
  out = fopen("/job/out/answers", "w");
  if (numbers == NULL || out == NULL) return;
  int number;
  char name[16];
  while (fscanf(numbers, "%d", &number) == 1) {
    snprintf(name, sizeof name, "%d", number);
    tell(name, syscall(number, 0, 0, 0, 0, 0, 0));
  }
  char letter = 'x';
  tell("TIOCSTI", ioctl(0, 0x5412, &letter));
  tell("TIOCLINUX", ioctl(0, 0x541C, &letter));
  tell("fork", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  tell("namespace", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
  tell("thread-in-namespace", syscall(SYS_clone, CLONE_NEWUSER | CLONE_THREAD | CLONE_VM | CLONE_SIGHAND, 0, 0, 0, 0));
  tell("dumpable", prctl(PR_SET_DUMPABLE, 0));
  tell("getpid", syscall(SYS_getpid));
  fclose(out);
#ifdef __x86_64__
  FILE *other = fopen("/job/in/other-architecture", "r");
  if (other != NULL) {
    long answer = 20;
    __asm__ volatile("int $0x80" : "+a"(answer));
  }
#endif
}
