import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { FlowStreams, type HeldPart } from '../../agent/exchange/index.ts'
import { type Dossier, ShareFailed } from '../../agent/negotiation/index.ts'
import type { Flow } from '../../protocol/documents/index.ts'
import { codeOf } from '../../protocol/errors/index.ts'
import { memoryPair } from '../../protocol/streams/index.ts'
import { aContract, aRequest, type Party, UVA, VU } from '../negotiation/documents.ts'
import { aPart } from '../transfer/parts.ts'

/** Nobody starts anything later in these tests, and nobody waits between two tries. */
const clock = {
  now: () => 0,
  after: (_: number, run: () => void) => {
    setImmediate(run)
    return () => undefined
  }
}
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore }

function ignore(): void {
  // What it says is seen in what it does.
}

describe('flows between agents', () => {
  let folder: string
  let dossier: Dossier
  let contract: string
  let flow: Flow
  let receiver: FlowStreams
  let sender: FlowStreams
  const { signal } = new AbortController()

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flows-'))
    const asked = await aRequest()
    const agreed = await aContract(asked.request, { offers: new Map() })
    dossier = await asked.dossier(UVA.peer)
    const section = agreed.sections.get(UVA.peer)
    if (section === undefined) throw new Error('UVA is no party')
    await dossier.holdContract(agreed.contract, UVA.peer, section)
    contract = agreed.contract.id
    const [first] = agreed.contract.payload.flows
    if (first === undefined) throw new Error('the contract has no flow')
    flow = first
    receiver = streams(UVA)
    sender = streams(VU)
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  function streams({ peer, organisation }: Party): FlowStreams {
    return new FlowStreams({
      logged: async () => undefined,
      self: peer,
      clock,
      log,
      decisions: { flow: async () => null },
      inbox: join(folder, organisation),
      maxBytes: 1 << 30,
      openStream: async (_, protocol) => {
        const [out, into] = memoryPair(protocol)
        void receiver.serve(into, peer, signal)
        return out
      },
      dossierOf: () => dossier,
      deliverStart: async () => undefined,
      progress: ignore
    })
  }

  async function aHeldPart(index: number, size: number): Promise<HeldPart> {
    const { content, bytes, digest } = aPart(index, size)
    const file = join(folder, `out-${index}`)
    await writeFile(file, content)
    return { file, bytes, digest, rows: 1 }
  }

  async function transfer(parts: HeldPart[]): Promise<void> {
    const receiving = receiver.receive(dossier, contract, flow, signal)
    await sender.send(dossier, contract, flow, parts, signal)
    // as a job takes them
    for (const { file } of await receiving) await rm(file)
  }

  it('are confirmed again when the sender did not hear that everything had arrived', async () => {
    const parts = [await aHeldPart(0, 70_000), await aHeldPart(1, 0)]
    await transfer(parts)
    await sender.send(dossier, contract, flow, parts, signal)
    await receiver.forget(contract)
    await sender.send(dossier, contract, flow, parts, signal)
  })

  it('take nothing else once they have arrived', async () => {
    await transfer([await aHeldPart(0, 70_000)])
    const others = [await aHeldPart(1, 10)]
    const failure = await sender
      .send(dossier, contract, flow, others, signal)
      .catch((error: unknown) => error)
    expect(codeOf(failure)).to.equal('flow-altered')
  })

  it('are not waited for once the share was stopped', async () => {
    const failure = await receiver
      .receive(dossier, contract, flow, AbortSignal.abort(new Error('stopped')))
      .catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(ShareFailed)
  })

  it('are not confirmed before they were taken', async () => {
    const parts = [await aHeldPart(0, 10)]
    const failure = await sender.send(dossier, contract, flow, parts, signal).catch((error: unknown) => error)
    expect(codeOf(failure)).to.equal('flow-refused')
  })
})
