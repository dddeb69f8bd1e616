import type { Refusal } from '../../protocol/documents/index.ts'
import { protectionOf } from '../agreement/index.ts'
import type { AgreementInForce } from './agreement-entity.ts'
import { listed } from './names.ts'
import { refusalOf } from './verdict.ts'

/** What is known of a request where an agreement protects the people behind a result. */
export interface AskedOfProtected {
  algorithm: string
  /** Algorithms here whose results are aggregates and nothing else. */
  aggregates: readonly string[]
  /** Why it is not certain whom the rows of the query are about, or what it may not do with that; null: nothing is wrong. */
  problem: { reason: string; position: number | null } | null
}

/**
 * Whether what is asked can be answered by aggregates of groups of units. Said to an asker who is a party to the agreement:
 * it is decided after the agreement permitted everything that is known without the query.
 *
 * @returns null, or what would be acceptable
 */
export function protectedRefusal(
  { payload }: Pick<AgreementInForce, 'payload'>,
  { algorithm, aggregates, problem }: AskedOfProtected
): Refusal | null {
  const { name, terms } = payload
  const protection = protectionOf(terms)
  if (protection === null) return null
  const clause = terms.output.aggregatesOnly === true ? 'aggregatesOnly' : 'minGroupSize'
  const agreed =
    terms.algorithms === '*' ? aggregates : aggregates.filter((one) => terms.algorithms.includes(one))
  const acceptable = {
    algorithms: [...agreed],
    'output.minGroupSize': protection.minGroupSize,
    ...(protection.unit === null ? {} : { 'output.unit': protection.unit })
  }
  const refused = (reason: string, position: number | null): Refusal => ({
    ...refusalOf('aggregates-only', `${name}#output.${clause}`, `agreement ${name}: ${reason}`, acceptable),
    position
  })
  if (!aggregates.includes(algorithm))
    return refused(
      `only aggregates of groups of at least ${protection.minGroupSize} leave, and "${algorithm}" may give single values away; these do not: ${listed(agreed)}`,
      null
    )
  return problem === null ? null : refused(problem.reason, problem.position)
}
