import { type Check, type Found, isLacking } from '../check.ts'

/** What is said of each thing that the kernel does not do here, and what mends it. */
const MISSING: Readonly<Record<string, Omit<Found, 'level'>>> = {
  seccomp: {
    message: 'jobs may make any system call: no list of them for this processor, or the kernel takes none',
    mend: 'a kernel with CONFIG_SECCOMP_FILTER, on x86_64 or aarch64'
  },
  memory: {
    message: 'the kernel does not limit the memory of jobs: it is watched instead',
    mend: 'let the agent make control groups (systemd: Delegate=yes, DelegateSubgroup=agent)'
  },
  processes: {
    message: 'no control group limits the processes of jobs: prlimit does',
    mend: 'delegate the controller pids to the agent'
  },
  cpu: {
    message: 'jobs have no limit of processor time but their deadline',
    mend: 'delegate the controller cpu to the agent'
  }
}

/** What holds jobs on the machine of the running agent. */
export const sandbox: Check = {
  name: 'sandbox',
  look: ({ running }) => {
    if (isLacking(running) || running.health.isolation === undefined) return []
    const { sandbox: kind, isolation } = running.health
    if (kind === 'none')
      return [
        {
          level: 'warning',
          code: 'sandbox-required',
          message: 'jobs run without a sandbox, and every offer says so',
          mend: 'sandbox: required in agent.yaml'
        }
      ]
    const lacks = Object.entries(MISSING).filter(([name]) => !isolation.includes(name))
    if (lacks.length === 0) return [{ level: 'ok', message: `${kind}, with ${isolation.join(', ')}` }]
    return lacks.map(([, found]) => ({ level: 'warning', ...found }))
  }
}
