import { spawn } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { FILTER_FD, type Host, INSIDE, systemBinds } from './jail-command.ts'
import { isFiltered, seccompFilter } from './seccomp.ts'

/** Which sandbox works on this machine; where none does, why and how to mend it. */
export type SandboxFound =
  | { kind: 'bubblewrap'; host: Host }
  | {
      kind: 'none'
      reason: 'not-linux' | 'bwrap-missing' | 'userns-forbidden' | 'bwrap-failed'
      /** What was tried and what it said. */
      message: string
      /** A command that mends it, to be run by an administrator. */
      mend: string
    }

const PATHS = ['/usr/bin', '/bin', '/usr/local/bin']

/** Tries a real jail with everything a job's has, except the job. */
export async function detectSandbox(): Promise<SandboxFound> {
  if (process.platform !== 'linux') {
    return {
      kind: 'none',
      reason: 'not-linux',
      message: `bubblewrap needs Linux, this is ${process.platform}`,
      mend: 'run the agent on Linux, or set "sandbox: none"'
    }
  }
  const bwrap = await find('bwrap')
  if (bwrap === undefined) {
    return {
      kind: 'none',
      reason: 'bwrap-missing',
      message: `no bwrap in ${PATHS.join(', ')}`,
      mend: 'apt-get install bubblewrap'
    }
  }
  const help = await run(bwrap, ['--help'])
  const host: Host = {
    bwrap,
    prlimit: await find('prlimit'),
    setpriv: await find('setpriv'),
    root: process.getuid?.() === 0,
    disableUserns: help.output.includes('--disable-userns'),
    system: await systemBinds(),
    filter: undefined
  }
  const filter = isFiltered(process.arch) ? seccompFilter(process.arch) : undefined
  // with the filter the runtime itself: a C library that needs another call would stop every job
  if (filter !== undefined) {
    const node = ['--ro-bind', process.execPath, INSIDE.node, '--seccomp', String(FILTER_FD)]
    const filtered = await run(bwrap, [...probeOf(host), ...node, '--', INSIDE.node, '-e', '0'], filter)
    if (filtered.code === 0) return { kind: 'bubblewrap', host: { ...host, filter } }
  }
  const probe = [...probeOf(host), '--', '/usr/bin/true']
  const tried = await run(bwrap, probe)
  if (tried.code === 0) return { kind: 'bubblewrap', host }
  if (/namespace|Operation not permitted|uid map/i.test(tried.output)) {
    return {
      kind: 'none',
      reason: 'userns-forbidden',
      message: tried.output.trim(),
      mend: await mendUserns()
    }
  }
  return {
    kind: 'none',
    reason: 'bwrap-failed',
    message: tried.output.trim(),
    mend: `${bwrap} ${probe.join(' ')}`
  }
}

function probeOf(host: Host): string[] {
  const userns = ['--unshare-user', ...(host.disableUserns ? ['--disable-userns'] : [])]
  const places = [...host.system, '--proc', '/proc', '--dev', '/dev']
  return ['--unshare-all', ...userns, '--die-with-parent', ...places, '--cap-drop', 'ALL']
}

async function mendUserns(): Promise<string> {
  if (await exists('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'))
    return 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'
  if (await exists('/proc/sys/kernel/unprivileged_userns_clone'))
    return 'sysctl -w kernel.unprivileged_userns_clone=1'
  return 'sysctl -w user.max_user_namespaces=1000'
}

async function find(name: string): Promise<string | undefined> {
  for (const folder of PATHS) if (await exists(join(folder, name), constants.X_OK)) return join(folder, name)
  return undefined
}

async function exists(path: string, mode: number = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false
  )
}

function run(command: string, args: string[], filter?: Buffer): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      // What is tried needs nothing of what this process was told, a password for a database among it.
      env: {},
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      timeout: 10_000,
      killSignal: 'SIGKILL'
    })
    let output = ''
    const [, stdout, stderr, pipe] = child.stdio
    for (const stream of [stdout, stderr]) stream?.on('data', (text: Buffer) => (output += text.toString()))
    if (pipe instanceof Writable) pipe.on('error', () => undefined).end(filter)
    child.once('error', (error) => resolve({ code: 1, output: error.message }))
    child.once('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
