import type { ContractView } from '../api/index.ts'
import { type Dossier, openDossier } from '../negotiation/index.ts'
import type { Store } from '../store/index.ts'

interface ContractComponents {
  store: Store
  self: string
  organisationOf(peer: string): string
  /** The documents of a request that is still open here. */
  dossierOf(request: string): Dossier | undefined
}

/**
 * The contract that a request ran under, as far as this agent may read it: the header, its own sections, who accepted when.
 * Undefined when there is none, or its documents were forgotten.
 */
export async function contractOfRequest(
  request: string,
  contract: string,
  { store, self, organisationOf, dossierOf }: ContractComponents
): Promise<ContractView | undefined> {
  const dossier = dossierOf(request) ?? (await openDossier(store, request, self))
  const held = dossier?.contracts.get(contract)
  if (held === undefined) return undefined
  return {
    contract,
    header: held.contract.payload,
    sections: held.mine ?? [],
    acceptances: [...held.acceptances.values()].map(({ id, payload }) => ({
      acceptance: id,
      organisation: organisationOf(payload.issuer),
      issuer: payload.issuer,
      issuedAt: new Date(payload.issuedAt).toISOString()
    }))
  }
}
