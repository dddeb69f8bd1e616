import type { ContractView } from '../../protocol/negotiation/index.ts'
import type { Local } from './world.ts'

/** What the laws about several agents look at. */
export interface Deeds {
  self: string
  accepted: readonly string[]
  acceptances: readonly { contract: string; epoch: number }[]
  /** Under which contracts its data is worked on or has left. */
  used: readonly string[]
  /** Results that it signed or believes. */
  results: readonly string[]
  completedBy: readonly { contract: string; signer: string }[]
}

export function deedsOf(local: Local): Deeds {
  const outcomes = [local.outcome]
  for (const stage of [local.hop?.stage, local.coordinator?.stage])
    if (stage?.phase === 'ended') outcomes.push(stage.outcome, stage.late)
  const known = outcomes.filter((one) => one !== null)
  return {
    self: local.self,
    accepted: local.acceptances.map(({ contract }) => contract),
    acceptances: local.acceptances,
    used: [...new Set([...local.begun, ...(local.running === null ? [] : [local.running])])],
    results: [
      ...new Set(
        known
          .filter(({ result }) => result !== 'expired')
          .map(({ result }) => (result === 'completed' ? 'completed' : 'not completed'))
      )
    ].toSorted(),
    completedBy: known.flatMap(({ result, contract, signer }) =>
      result === 'completed' ? [{ contract: contract ?? '', signer: signer ?? '' }] : []
    )
  }
}

/** The first law that does not hold between these agents; null: all do. */
export function brokenLaw(
  all: readonly Deeds[],
  contracts: ReadonlyMap<string, ContractView>,
  honestAsker: boolean
): string | null {
  const full = new Map<number, string>()
  const ofEpoch = new Map<number, string>()
  const results = new Set<string>()
  for (const deeds of all) {
    for (const contract of deeds.used)
      if (!isFull(contract, all, contracts))
        return `no data without the full set: ${deeds.self} works under ${contract}, which not all have accepted`
    for (const { contract, epoch } of deeds.acceptances) {
      const other = ofEpoch.get(epoch)
      if (honestAsker && other !== undefined && other !== contract)
        return `S8: epoch ${epoch} has two chains, ${other} and ${contract}`
      ofEpoch.set(epoch, contract)
      if (!isFull(contract, all, contracts)) continue
      const known = full.get(epoch)
      if (known !== undefined && known !== contract) return `two full sets of acceptances in epoch ${epoch}`
      full.set(epoch, contract)
    }
    for (const { contract, signer } of deeds.completedBy) {
      const recipient = contracts.get(contract)?.parties.find(({ roles }) => roles.includes('recipient'))
      if (recipient?.peer !== signer)
        return `S9: ${signer} completes, but the result is for ${recipient?.peer}`
    }
    for (const result of deeds.results) results.add(result)
  }
  return results.size > 1 ? 'two outcomes that contradict each other' : null
}

function isFull(
  contract: string,
  all: readonly Deeds[],
  contracts: ReadonlyMap<string, ContractView>
): boolean {
  const parties = contracts.get(contract)?.parties ?? []
  return (
    parties.length > 0 &&
    parties.every(({ peer }) => all.some((one) => one.self === peer && one.accepted.includes(contract)))
  )
}
