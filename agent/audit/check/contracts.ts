import { isDeepStrictEqual } from 'node:util'
import type { Payload } from '../../../protocol/documents/index.ts'
import type { CaseFile, Kept } from './case-file.ts'
import type { Tell } from './tell.ts'

const ABOUT_CONTRACTS = ['acceptance', 'decline', 'release', 'receipt'] as const

/** That each contract follows from its request and offers, and that what is said of it is said by its parties, once. */
export function checkContracts(file: CaseFile, tell: Tell): void {
  for (const contract of file.all('contract')) {
    const request = file.find('request', contract.document.payload.request)
    if (request !== undefined) {
      const problem = differs(contract.document.payload, request.document.payload)
      if (problem !== null) tell('contract-mismatch', contract, problem, [request])
    }
    checkOffers(file, contract, request, tell)
  }
  for (const type of ABOUT_CONTRACTS)
    for (const kept of file.all(type)) {
      const said = kept.document.payload
      const contract = file.find('contract', said.contract)
      if (contract === undefined) continue
      const { parties, request, epoch } = contract.document.payload
      const problem = !parties.some(
        ({ peer, organisation }) => peer === said.issuer && organisation === said.organisation
      )
        ? `the ${type} is by nobody of the contract`
        : said.request !== request || ('epoch' in said && said.epoch !== epoch)
          ? `the ${type} names another request or epoch than its contract`
          : null
      if (problem !== null) tell('contract-mismatch', kept, problem, [contract])
    }
  acceptedTwice(file, tell)
}

type Contract = Payload<'contract'>
type Request = Payload<'request'>

function differs(contract: Contract, request: Request): string | null {
  if (contract.issuer !== request.issuer) return 'the contract is not by who asked'
  for (const field of [
    'purpose',
    'user',
    'organisation',
    'datasets',
    'algorithm',
    'recipients',
    'verify'
  ] as const)
    if (!isDeepStrictEqual(contract[field], request[field]))
      return `${field} of the contract is not what was asked`
  if (rowsOf(contract, request).length === 0)
    return 'archetype and compute provider of the contract are no row of the request'
  return null
}

/** Numbers of the candidates that a contract is about. */
function rowsOf({ archetype, parties, verify }: Contract, { rows }: Request): number[] {
  const hosts = parties.filter(({ roles }) => roles.includes('infrastructure'))
  if (verify !== undefined && !hosts.some(({ peer }) => peer === verify)) return []
  const computing = hosts.filter(({ peer }) => peer !== verify)
  return rows.flatMap((row, index) => {
    if (row.archetype !== archetype.name) return []
    const fits =
      row.infrastructure === null
        ? computing.every(({ roles }) => roles.includes('data'))
        : computing.some(({ peer }) => peer === row.infrastructure) &&
          computing.every(({ peer, roles }) => peer === row.infrastructure || roles.includes('data'))
    return fits ? [index] : []
  })
}

function checkOffers(
  file: CaseFile,
  contract: Kept<'contract'>,
  request: Kept<'request'> | undefined,
  tell: Tell
): void {
  const { payload } = contract.document
  const rows = request === undefined ? null : rowsOf(payload, request.document.payload)
  for (const { peer, organisation, offer: id } of payload.parties) {
    const offer = file.find('offer', id)
    if (offer === undefined) continue
    const { issuer, request: of, rows: answers } = offer.document.payload
    if (issuer !== peer || of !== payload.request)
      tell(
        'contract-mismatch',
        contract,
        `the offer of ${organisation} is not its own, or of another request`,
        [offer]
      )
    else if (
      request !== undefined &&
      !answers.some((one) => one.verdict === 'permit' && rows?.includes(one.row))
    )
      tell('contract-mismatch', contract, `${organisation} did not offer what the contract says`, [
        offer,
        request
      ])
  }
}

function acceptedTwice(file: CaseFile, tell: Tell): void {
  const accepted = new Map<string, Kept<'acceptance'>>()
  for (const kept of file.all('acceptance')) {
    const { issuer, request, epoch, contract } = kept.document.payload
    const key = `${issuer} ${request} ${epoch}`
    const known = accepted.get(key)
    if (known === undefined) accepted.set(key, kept)
    else if (known.document.payload.contract !== contract)
      tell('acceptance-twice', kept, `two contracts were accepted in epoch ${epoch}`, [known])
  }
}
