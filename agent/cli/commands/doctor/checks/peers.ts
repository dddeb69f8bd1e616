import { type Check, type Found, isLacking } from '../check.ts'

/** What other agents say to this one; clocks have a check of their own. */
export const peers: Check = {
  name: 'peers',
  look: ({ running }) => {
    if (isLacking(running)) return []
    const { encounters } = running.marketplace
    const found: Found[] = encounters
      .filter(({ refusedUs }) => refusedUs !== null && refusedUs !== 'clock-skew')
      .map(({ peer, organisation, refusedUs }) => ({
        level: 'warning',
        code: refusedUs ?? 'not-member',
        message: `${organisation ?? peer} refuses this agent: ${refusedUs}`,
        mend: `dynamos explain ${refusedUs}`
      }))
    const met = encounters.filter(({ refusedUs }) => refusedUs === null).length
    if (found.length > 0) return found
    return met > 0
      ? [{ level: 'ok', message: `${met} met since the agent started` }]
      : [
          {
            level: 'warning',
            message: 'no other agent was met since this one started',
            mend: 'put the address of one into bootstrap: in agent.yaml, and start the agent again'
          }
        ]
  }
}
