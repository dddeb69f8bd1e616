import { type Check, isLacking } from '../check.ts'

/** Whether the agent runs and answers this user. */
export const agent: Check = {
  name: 'agent',
  look: ({ running }) => {
    if (isLacking(running))
      return [
        {
          level: 'error',
          code: running.code,
          message: running.message,
          mend:
            running.code === 'token-wrong'
              ? 'name the token of this agent with --token FILE; it writes one when it starts'
              : 'dynamos agent run --config agent.yaml'
        }
      ]
    const { health, url } = running
    return [
      { level: 'ok', message: `${health.organisation} answers at ${url}, version ${health.version}` },
      ...health.problems.map((problem) => ({
        level: 'error' as const,
        message: problem,
        mend: 'mend what it names, and start the agent again'
      }))
    ]
  }
}
