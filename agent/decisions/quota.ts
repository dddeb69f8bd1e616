import type { Refusal, Terms } from '../../protocol/documents/index.ts'
import type { Agreements } from '../agreements/index.ts'
import type { QuotaUse, Store } from '../store/index.ts'
import { refuse } from './components.ts'
import { endedAgreement } from './objections.ts'

const UNLIMITED = { requests: Number.MAX_SAFE_INTEGER, per: 1 }

interface Components {
  agreements: Pick<Agreements, 'ending'> & {
    get(id: string): { payload: { terms: Pick<Terms, 'limits'> } } | undefined
  }
  store: Pick<Store, 'quota'>
}

/**
 * Counts a request under the agreement about each of its datasets, or under none. Each is counted in a transaction of its own,
 * which also looks whether there is room: however many ask at once, no more are counted than the agreement allows.
 */
export async function reserveQuota(
  { agreements, store }: Components,
  use: Omit<QuotaUse, 'dataset'>,
  granting: readonly { dataset: string; agreement: string }[]
): Promise<Refusal | null> {
  const limits = granting.map(({ dataset, agreement }) => ({
    dataset,
    terms: agreements.get(agreement)?.payload.terms
  }))
  const ended = granting.find(({ agreement }) => agreements.get(agreement) === undefined)
  if (ended !== undefined) return endedAgreement(ended.agreement, agreements)
  const reserved: string[] = []
  let refusal: Refusal | null = null
  for (const { dataset, terms } of limits) {
    if (await store.quota.reserve({ ...use, dataset }, terms?.limits ?? UNLIMITED)) reserved.push(dataset)
    else {
      refusal = refuse('quota-exceeded', `${terms?.limits?.requests} requests in its window are allowed`)
      break
    }
  }
  // A use that another contract of this request made already counts all its datasets: then nothing is refused above.
  if (refusal !== null) for (const dataset of reserved) await store.quota.release({ ...use, dataset })
  return refusal
}
