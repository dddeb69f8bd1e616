import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { type Host, systemBinds } from './jail-command.ts'

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
    system: await systemBinds()
  }
  const userns = ['--unshare-user', ...(host.disableUserns ? ['--disable-userns'] : [])]
  const probe = [
    '--unshare-all',
    ...userns,
    '--die-with-parent',
    ...host.system,
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--cap-drop',
    'ALL',
    '--',
    '/usr/bin/true'
  ]
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

function run(command: string, args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 10_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : 1, output: stdout + stderr })
    })
  })
}
