import type { Refusal, Row, Signed } from '../../protocol/documents/index.ts'
import { nearest } from '../../protocol/errors/index.ts'
import type { Submission } from '../config/index.ts'
import type { Members } from '../membership/index.ts'

type Host = Signed<'capability'>

/**
 * The agent that runs again what the compute provider runs. Of several agents of its organisation the lowest peer id stands for
 * all.
 *
 * @param rows candidates
 * @param hosts compute providers that were reached
 * @returns null where nobody is asked to; a refusal where nobody can
 */
export function verifierOf(
  { verify }: Pick<Submission, 'verify'>,
  rows: readonly Row[],
  hosts: readonly Host[],
  members: Pick<Members, 'byOrganisation'>
): Host | Refusal | null {
  if (verify === undefined) return null
  if (rows.every(({ infrastructure }) => infrastructure === null))
    return impossible('each data provider computes by itself in every candidate; only it has the rows')
  const [found] = hosts
    .filter(({ payload }) => payload.organisation === verify)
    .sort((one, other) => (one.payload.issuer < other.payload.issuer ? -1 : 1))
  if (found !== undefined) return found
  const names = [...new Set(hosts.map(({ payload }) => payload.organisation))].sort()
  const near = nearest(verify, names)
  const reason =
    members.byOrganisation(verify) === undefined
      ? `no member ${verify} is known here${near === undefined ? '' : `; did you mean ${near}?`}`
      : `no agent of ${verify} that computes for others could be reached`
  const acceptable = names.length === 0 ? null : { computeProviders: names.slice(0, 256) }
  return impossible(reason, acceptable)
}

function impossible(reason: string, acceptable: Refusal['acceptable'] = null): Refusal {
  return {
    code: 'verify-not-possible',
    clause: null,
    reason: `verify: ${reason}`,
    acceptable,
    position: null
  }
}
