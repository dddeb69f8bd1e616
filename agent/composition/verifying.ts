import type { Payload } from '../../protocol/documents/index.ts'
import { type CompositionInput, type Infeasible, organisationOf } from './plan.ts'

/** Whether an agent would run again, in this row, what its compute provider runs. */
export function runsAgain({ rows, verify }: Payload<'request'>, peer: string, index: number): boolean {
  return verify === peer && rows[index]?.infrastructure != null
}

/**
 * Why nothing of a row could be run again elsewhere and compared; undefined where it can, or nobody asked. Whoever runs it again
 * must be a third party: what a data provider would compute of the others' rows, or the recipient of its own result, proves less.
 */
export function verifyProblem(
  input: Pick<CompositionInput, 'request' | 'recipient' | 'manifests' | 'answers' | 'silent' | 'resources'>,
  { infrastructure }: { infrastructure: string | null }
): Infeasible | undefined {
  const { request, recipient, manifests } = input
  const { verify } = request
  if (verify === undefined) return undefined
  const no = (why: string): Infeasible => ({
    why: `verify-not-possible: ${why}`,
    code: 'verify-not-possible'
  })
  const who = (peer: string) => organisationOf(input, peer)
  if (infrastructure === null) return no('each data provider computes by itself here; only it has the rows')
  // An organisation may run several agents: two of one would vouch for each other.
  if (infrastructure === verify || who(infrastructure) === who(verify))
    return no(`${who(verify)} cannot run again what it runs itself`)
  if (request.providers.includes(verify)) return no(`${who(verify)} holds data of this request itself`)
  const receiving = [verify, infrastructure].find(
    (peer) => peer === recipient.peer || who(peer) === recipient.organisation
  )
  if (receiving !== undefined)
    return no(`${who(receiving)} receives the results, and cannot be one of the two that are compared`)
  if (manifests.algorithms.get(request.algorithm)?.deterministic === false)
    return no(`${request.algorithm} does not give the same twice, so a difference would say nothing`)
  return undefined
}
