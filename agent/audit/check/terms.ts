import type { AnyOrNames, ResultTerms } from '../../../protocol/documents/index.ts'
import type { CaseFile } from './case-file.ts'
import type { Tell } from './tell.ts'

/** What a result may be used for is no wider than what each data party gave. */
export function checkTerms(file: CaseFile, tell: Tell): void {
  for (const contract of file.all('contract')) {
    const { payload } = contract.document
    const { terms } = payload
    const services = payload.chain.map(({ service }) => service)
    if (!payload.recipients.every((one) => names(terms.recipients, one)))
      tell('terms-wider', contract, 'a recipient of the contract is not among its terms')
    if (!names(terms.purposes, payload.purpose))
      tell('terms-wider', contract, 'the purpose of the contract is not among its terms')
    if (!terms.services.every((one) => services.includes(one)))
      tell('terms-wider', contract, 'a service that the terms require is not in the chain')
    if (terms.forbid.some((one) => services.includes(one)))
      tell('terms-wider', contract, 'a service that the terms forbid is in the chain')
  }
  for (const acceptance of file.all('acceptance')) {
    const { contract: id, resultTerms, issuer, issuedAt } = acceptance.document.payload
    const contract = file.find('contract', id)
    if (contract === undefined) continue
    const { terms, parties } = contract.document.payload
    if (terms.until !== null && issuedAt >= terms.until)
      tell('terms-wider', acceptance, 'accepted when the terms had ended', [contract])
    const data = parties.some(({ peer, roles }) => peer === issuer && roles.includes('data'))
    const problem = data && resultTerms !== null ? wider(terms, resultTerms) : null
    if (problem !== null)
      tell('terms-wider', contract, `the terms of the contract are wider than a data party's: ${problem}`, [
        acceptance
      ])
  }
}

function names(list: AnyOrNames, one: string): boolean {
  return list === '*' || list.includes(one)
}

function beyond(one: AnyOrNames, given: AnyOrNames): boolean {
  return given !== '*' && (one === '*' || one.some((name) => !given.includes(name)))
}

/** What of `terms` is wider than what was given. */
export function wider(terms: ResultTerms, given: ResultTerms): string | null {
  if (beyond(terms.recipients, given.recipients)) return 'recipients'
  if (beyond(terms.purposes, given.purposes)) return 'purposes'
  if (given.until !== null && (terms.until === null || terms.until > given.until)) return 'until'
  if (given.services.some((one) => !terms.services.includes(one))) return 'services'
  if (given.forbid.some((one) => !terms.forbid.includes(one))) return 'forbid'
  if (given.maxRows !== null && (terms.maxRows === null || terms.maxRows > given.maxRows)) return 'maxRows'
  if (given.minGroupSize !== undefined && (terms.minGroupSize ?? 0) < given.minGroupSize)
    return 'minGroupSize'
  if (given.releaseAsk === true && terms.releaseAsk !== true) return 'releaseAsk'
  return null
}
