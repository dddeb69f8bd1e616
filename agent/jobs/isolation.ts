import type { Isolation } from '../../protocol/documents/index.ts'
import { type Controller, detectControlGroups } from './control-group.ts'
import { detectSandbox, type SandboxFound } from './detect-sandbox.ts'

const NAMES: Readonly<Record<Controller, Isolation[number]>> = {
  memory: 'memory',
  pids: 'processes',
  cpu: 'cpu'
}

/** The names under which others are told. */
export function isolationOf(filtered: boolean, controllers: readonly Controller[]): Isolation {
  return [...(filtered ? (['seccomp'] as const) : []), ...controllers.map((one) => NAMES[one])]
}

/** What this machine can do for jobs, tried out; for whoever looks after it. */
export interface IsolationFound {
  sandbox: SandboxFound
  isolation: Isolation
  /** Version of the control groups in use, where there are any. */
  controlGroups: 1 | 2 | undefined
  /** Whether limits on open files and processes hold where control groups do not. */
  prlimit: boolean
}

/** Tries what a launcher would use here, and leaves nothing behind. */
export async function detectIsolation(): Promise<IsolationFound> {
  const [sandbox, groups] = await Promise.all([detectSandbox(), detectControlGroups()])
  const host = sandbox.kind === 'bubblewrap' ? sandbox.host : undefined
  return {
    sandbox,
    isolation: host === undefined ? [] : isolationOf(host.filter !== undefined, groups?.controllers ?? []),
    controlGroups: groups?.version,
    prlimit: host?.prlimit !== undefined
  }
}
