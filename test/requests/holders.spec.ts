import { expect } from 'chai'
import { findHolders } from '../../agent/requests/holders.ts'
import { UVA, VU } from '../negotiation/documents.ts'

const AGREED = ['wages', 'leave']

describe('who holds the datasets of a request', () => {
  /** VU holds both out to UVA; no agent answers. */
  const holders = async (datasets: string[]) => {
    const terms = { consumers: [], purposes: [], archetypes: [], computeProviders: [], recipients: [] }
    const more = { tables: {}, services: { require: [], forbid: [] }, algorithms: [], output: {}, valid: {} }
    const agreements = await Promise.all(
      AGREED.map(
        async (dataset) =>
          await VU.speaker.sign(
            'agreement',
            {
              name: dataset,
              provider: 'VU',
              dataset,
              parties: ['UVA', 'VU'],
              terms: { ...terms, ...more, sandbox: 'none', timezone: 'UTC', about: {} },
              pins: {}
            },
            1000
          )
      )
    )
    return await findHolders(
      { datasets },
      {
        finder: {
          findDataset: async () => [],
          findComputeProviders: async () => [],
          describe: async () => await Promise.reject(new Error('nobody there')),
          knownDatasets: async () => []
        },
        members: { byOrganisation: () => undefined },
        agreements: {
          inForce: ({ dataset } = {}) => agreements.filter(({ payload }) => payload.dataset === dataset)
        },
        speaker: UVA
      }
    )
  }

  it('are none of a dataset that nobody knows, and unreached of one that an agreement is about', async () => {
    expect(await holders(['wages'])).to.deep.include({ nowhere: [], unreached: ['VU'] })
    expect(await holders(['other'])).to.deep.include({ nowhere: ['other'], unreached: [] })
    expect(await holders(['wages', 'other'])).to.deep.include({ nowhere: ['other'], unreached: ['VU'] })
  })
})
