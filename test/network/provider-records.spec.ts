import { expect } from 'chai'
import { MemoryDatastore } from 'datastore-core'
import { type Datastore, Key } from 'interface-datastore'
import { boundedRecords, MAX_RECORDS_PER_PEER } from '../../agent/network/provider-records.ts'

const record = (key: number, peer: string) => new Key(`/dht/provider/key${key}/${peer}`)
const bytes = Uint8Array.of(1)

describe('What the DHT keeps of the announcements of others', () => {
  it('is bounded for each peer', async () => {
    const records = boundedRecords(new MemoryDatastore(), 'self')
    for (let key = 0; key < MAX_RECORDS_PER_PEER; key++) await records.put(record(key, 'member'), bytes)
    const more = await Promise.allSettled([records.put(record(MAX_RECORDS_PER_PEER, 'member'), bytes)])
    expect(more[0]).to.have.nested.property('reason.code', 'rate-limited')
    await records.put(record(0, 'member'), bytes)
    await records.put(record(MAX_RECORDS_PER_PEER, 'other'), bytes)
    await records.delete(record(0, 'member'))
    await records.put(record(MAX_RECORDS_PER_PEER, 'member'), bytes)
  })

  it('is counted anew when it could not be read once', async () => {
    class OnceBroken extends MemoryDatastore {
      #broken = true
      override queryKeys(
        ...query: Parameters<Datastore['queryKeys']>
      ): ReturnType<MemoryDatastore['queryKeys']> {
        if (!this.#broken) return super.queryKeys(...query)
        this.#broken = false
        throw new Error('the disk could not be read')
      }
    }
    const datastore = new OnceBroken()
    const records = boundedRecords(datastore, 'self')
    const first = await Promise.allSettled([records.put(record(1, 'member'), bytes)])
    expect(first[0].status).to.equal('rejected')
    await records.put(record(1, 'member'), bytes)
    expect(await datastore.has(record(1, 'member'))).to.equal(true)
  })
})
