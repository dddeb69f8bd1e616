import { execFile } from 'node:child_process'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import type { JobFolder, Launcher } from '../../agent/jobs/index.ts'
import { seccompFilter } from '../../agent/jobs/seccomp.ts'
import { ALLOWED, LAST_KNOWN } from '../../agent/jobs/system-calls.ts'
import { verdictOf } from './filter-machine.ts'
import { attacks, HOSTILE } from './hostile.ts'
import { aLauncher, cleanUp, needsBubblewrap, temporaryFolder } from './launchers.ts'

const [ALLOW, EPERM, ENOSYS, KILL] = [0x7fff0000, 0x00050001, 0x00050026, 0x80000000]
const ARCHITECTURES = {
  x64: { audit: 0xc000003e, clone: 56, ioctl: 16, prctl: 157, clone3: 435 },
  arm64: { audit: 0xc00000b7, clone: 220, ioctl: 29, prctl: 167, clone3: 435 }
} as const
/** What an attacker would like, by its numbers on x86_64 and aarch64. */
const WANTED: readonly [string, number, number][] = [
  ['socket', 41, 198],
  ['connect', 42, 203],
  ['sendmsg', 46, 211],
  ['recvmsg', 47, 212],
  ['kill', 62, 129],
  ['ptrace', 101, 117],
  ['process_vm_writev', 311, 271],
  ['mount', 165, 40],
  ['umount2', 166, 39],
  ['move_mount', 429, 429],
  ['open_by_handle_at', 304, 265],
  ['pivot_root', 155, 41],
  ['chroot', 161, 51],
  ['unshare', 272, 97],
  ['setns', 308, 268],
  ['keyctl', 250, 219],
  ['add_key', 248, 217],
  ['bpf', 321, 280],
  ['perf_event_open', 298, 241],
  ['io_uring_setup', 425, 425],
  ['userfaultfd', 323, 282],
  ['memfd_create', 319, 279],
  ['execveat', 322, 281],
  ['setuid', 105, 146],
  ['symlinkat', 266, 36],
  ['linkat', 265, 37],
  ['mknodat', 259, 33],
  ['setsid', 112, 157],
  ['seccomp', 317, 277],
  ['kexec_load', 246, 104],
  ['init_module', 175, 105],
  ['personality', 135, 92]
]

describe('the list of system calls', () => {
  for (const architecture of ['x64', 'arm64'] as const) {
    const { audit, clone, ioctl, prctl, clone3 } = ARCHITECTURES[architecture]
    const program = seccompFilter(architecture)
    const verdict = (number: number, ...args: number[]): number =>
      verdictOf(program, { architecture: audit, number, arguments: args })

    it(`lets through on ${architecture} what is on it, and nothing else`, () => {
      const listed = new Set(
        ALLOWED.map(([, x64, arm64]) => (architecture === 'x64' ? x64 : arm64)).filter((one) => one !== null)
      )
      const apart = new Set<number>([clone, ioctl, prctl, clone3])
      for (let number = 0; number <= LAST_KNOWN; number++) {
        if (apart.has(number)) continue
        expect(verdict(number), String(number)).to.equal(listed.has(number) ? ALLOW : EPERM)
      }
    })

    it(`holds nothing on ${architecture} that serves to break out`, () => {
      const refused = WANTED.map(([name, x64, arm64]) => [
        name,
        verdict(architecture === 'x64' ? x64 : arm64)
      ])
      expect(refused.filter(([, answer]) => answer !== EPERM)).to.deep.equal([])
    })

    it(`is told on ${architecture} that newer calls are not there`, () => {
      for (const number of [LAST_KNOWN + 1, 600, 0x3fffffff, clone3])
        expect(verdict(number), String(number)).to.equal(ENOSYS)
    })

    it(`ends whoever calls as another architecture than ${architecture}`, () => {
      for (const other of [0x40000003, 0xc000003e, 0xc00000b7].filter((one) => one !== audit))
        expect(verdictOf(program, { architecture: other, number: 0 })).to.equal(KILL)
      if (architecture === 'x64') expect(verdict(0x40000000 + 1)).to.equal(KILL)
    })

    it(`allows on ${architecture} threads but no processes or namespaces`, () => {
      const thread = 0x003d0f00
      expect(verdict(clone, thread)).to.equal(ALLOW)
      for (const flags of [17, 0, 0x4111, 0x10000000 + 17, thread + 0x10000000, thread + 0x00020000])
        expect(verdict(clone, flags), flags.toString(16)).to.equal(EPERM)
    })

    it(`lets no program on ${architecture} type for a terminal or watch another`, () => {
      for (const request of [0x5412, 0x541c, 0x40049409, 0x8933])
        expect(verdict(ioctl, 0, request), request.toString(16)).to.equal(EPERM)
      expect(verdict(ioctl, 0, 0x5421)).to.equal(ALLOW)
      for (const option of [1, 4, 22, 38, 0x59616d61]) expect(verdict(prctl, option)).to.equal(EPERM)
    })
  }
})

describe('the list of system calls in the kernel', () => {
  let launcher: Launcher
  let folder: JobFolder
  let addon: string
  cleanUp()
  before(async function () {
    await needsBubblewrap(this)
    addon = join(await temporaryFolder(), 'calls.node')
    const source = fileURLToPath(new URL('./calls.c', import.meta.url))
    const compiled = await promisify(execFile)('cc', ['-shared', '-fPIC', '-O1', '-o', addon, source]).catch(
      () => undefined
    )
    launcher = await aLauncher({ runner: HOSTILE, sandbox: 'bubblewrap' })
    if (compiled !== undefined && launcher.isolation.includes('seccomp')) return
    console.error('\n!!! CALLS NOT TRIED IN THE KERNEL: needs a C compiler, and x86_64 or aarch64\n')
    this.skip()
  })
  beforeEach(async () => {
    folder = await launcher.folder()
    await copyFile(addon, join(folder.path, 'in', 'calls.node'))
    const listed = new Set(ALLOWED.map(([, x64, arm64]) => (process.arch === 'x64' ? x64 : arm64)))
    // x86_64’s uretprobe and uprobe: the kernel lets them past every filter, and they serve nobody who calls them himself
    const apart: readonly number[] = [ARCHITECTURES.x64.clone3, 335, 336]
    const others = Array.from({ length: LAST_KNOWN + 1 }, (_, number) => number).filter(
      (number) => !listed.has(number) && !apart.includes(number)
    )
    await writeFile(join(folder.path, 'in', 'numbers'), others.join('\n'))
  })
  afterEach(() => folder.wipe())
  const { attack, sees } = attacks(() => ({ launcher, folder }))
  const load = `try { process.dlopen({ exports: {} }, '/job/in/calls.node') } catch {} return 'alive'`

  it('refuses every call that is not on it', async () => {
    expect(await sees(load)).to.equal('alive')
    const answers = (await readFile(join(folder.path, 'out', 'answers'), 'utf8')).trim().split('\n')
    expect(answers.length).to.be.above(250)
    expect(answers.filter((line) => !line.endsWith(' 1'))).to.deep.equal(['getpid 0'])
  })

  it('ends a job that calls as a 32-bit program would', async function () {
    if (process.arch !== 'x64') return this.skip()
    await writeFile(join(folder.path, 'in', 'other-architecture'), '')
    expect((await attack(load)).code).to.equal('job-killed')
  })
})
