import type { Payload } from '../../../protocol/documents/index.ts'
import type { CaseFile, Kept } from './case-file.ts'
import type { Tell } from './tell.ts'

/** Outcomes and receipts: one end of each exchange, and what was handed on is what was handed over. */
export function checkEndings(file: CaseFile, tell: Tell): void {
  const outcomes = file.all('outcome')
  const first = new Map<string, Kept<'outcome'>>()
  for (const kept of outcomes) {
    const { issuer, request, result, contract: id, receipts } = kept.document.payload
    const known = first.get(`${issuer} ${request}`)
    if (known === undefined) first.set(`${issuer} ${request}`, kept)
    else tell('outcome-twice', kept, 'one party signed two outcomes of one request', [known])
    const contract = file.find('contract', id)
    if (result === 'completed' && contract !== undefined) {
      const { parties } = contract.document.payload
      if (!parties.some(({ peer, roles }) => peer === issuer && roles.includes('recipient')))
        tell('outcome-contradicted', kept, 'completed by somebody who receives nothing', [contract])
      for (const receipt of file.all('receipt'))
        if (
          receipt.document.payload.issuer === issuer &&
          isLast(receipt.document.payload, contract) &&
          !receipts.includes(receipt.document.id)
        )
          tell('outcome-contradicted', kept, 'the receipt of the recipient is not among its receipts', [
            contract,
            receipt
          ])
    }
    for (const other of outcomes)
      if (
        other.record < kept.record &&
        other.document.payload.issuer !== issuer &&
        other.document.payload.request === request &&
        contradict(other.document.payload.result, result)
      )
        tell('outcome-contradicted', kept, 'one party says that it completed, and another that it did not', [
          other
        ])
  }
  checkReceipts(file, tell)
}

function contradict(one: string, other: string): boolean {
  const failed = ['failed', 'cancelled']
  return (one === 'completed' && failed.includes(other)) || (other === 'completed' && failed.includes(one))
}

/** The recipient's own step follows those of the chain. */
function isLast(receipt: Payload<'receipt'>, { document: { id, payload } }: Kept<'contract'>): boolean {
  const recipient = payload.parties.some(
    ({ peer, roles }) => peer === receipt.issuer && roles.includes('recipient')
  )
  return (
    receipt.contract === id &&
    recipient &&
    receipt.service === 'convert' &&
    receipt.step === payload.chain.length
  )
}

/** Whether a recipient says that two parties gave the same exactly where one was to run again what the other ran. */
function verifiedAsAgreed(
  { verification }: Payload<'receipt'>,
  { document: { payload } }: Kept<'contract'>
): boolean {
  const { parties, verify } = payload
  if (verify === undefined || verification === undefined) return verify === verification
  const hosts = parties.filter(({ roles }) => roles.includes('infrastructure') && !roles.includes('data'))
  const [of, ...others] = hosts.filter(({ peer }) => peer !== verify)
  const at = hosts.find(({ peer }) => peer === verify)
  return others.length === 0 && of?.organisation === verification.of && at?.organisation === verification.at
}

function checkReceipts(file: CaseFile, tell: Tell): void {
  const receipts = file.all('receipt')
  const once = new Map<string, Kept<'receipt'>>()
  for (const kept of receipts) {
    const said = kept.document.payload
    const key = [said.issuer, said.contract, said.step, said.service, said.round].join(' ')
    const known = once.get(key)
    if (known === undefined) once.set(key, kept)
    else tell('receipt-mismatch', kept, 'two receipts for one run of a step', [known])
    const contract = file.find('contract', said.contract)
    if (contract === undefined) continue
    const { chain, flows } = contract.document.payload
    const own = chain.some(
      (one) => one.step === said.step && one.service === said.service && one.at === said.issuer
    )
    if (!own && !isLast(said, contract))
      tell('receipt-mismatch', kept, `step ${said.step} is not the signer's`, [contract])
    else if (!own && !verifiedAsAgreed(said, contract))
      tell('receipt-mismatch', kept, 'what was run again is not what it says', [contract])
    const senders = new Set(flows.filter(({ to }) => to === said.issuer).map(({ from }) => from))
    const given = receipts.filter(
      ({ document: { payload } }) => payload.contract === said.contract && senders.has(payload.issuer)
    )
    const complete = chain
      .filter(({ at }) => senders.has(at))
      .every(({ at, step }) =>
        given.some(({ document: { payload } }) => payload.issuer === at && payload.step === step)
      )
    if (!complete) continue
    const outputs = new Set(given.flatMap(({ document }) => document.payload.outputs))
    if (said.inputs.some((one) => !outputs.has(one)))
      tell('receipt-mismatch', kept, 'an input that nobody who sends to the signer put out', [contract])
  }
}
