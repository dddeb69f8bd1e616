import type { Payload } from '../../protocol/documents/index.ts'
import { computesAtData } from '../composition/index.ts'

type Contract = Payload<'contract'>
type Party = Contract['parties'][number]

/** Parties of a contract that compute over the data of others. */
export function hostsOf({ parties }: Pick<Contract, 'parties'>): Party[] {
  return parties.filter(({ roles }) => roles.includes('infrastructure') && !roles.includes('data'))
}

/** The compute provider whose result counts; null where each data provider computes itself. */
export function hostOf(contract: Pick<Contract, 'parties' | 'archetype' | 'verify'>): string | null {
  if (computesAtData(contract.archetype)) return null
  return hostsOf(contract).find(({ peer }) => peer !== contract.verify)?.peer ?? null
}

/** The same as facts for policy: organisations that would compute, and compute again. */
export function placementFacts(contract: Pick<Contract, 'parties' | 'verify'>): {
  infrastructure: string | null
  verifier?: string
} {
  const hosts = hostsOf(contract)
  const again = hosts.find(({ peer }) => peer === contract.verify)
  return {
    infrastructure: hosts.find((one) => one !== again)?.organisation ?? null,
    ...(again === undefined ? {} : { verifier: again.organisation })
  }
}
