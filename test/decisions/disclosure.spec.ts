import { expect } from 'chai'
import { readLog } from '../../agent/audit/index.ts'
import { Disclosure } from '../../agent/decisions/index.ts'
import { silentLog } from '../../agent/network/index.ts'
import type { Store } from '../../agent/store/index.ts'
import { createDisclosureRules, type DisclosureRules } from '../../policy/index.ts'
import { stateFolder } from '../store/folder.ts'

const HIDES = 'forbid (principal in Organisation::"EVE", action == Action::"discover", resource);'
const SLEEPS = 'forbid (principal, action == Action::"discover", resource) when { context.hour < 6 };'
const NIGHT = Date.parse('2026-05-01T05:59:30Z')

describe('Who is told of a dataset', () => {
  let now: number
  let rules: DisclosureRules
  let evaluated: number
  let changes: number
  let visibility: Record<string, 'members' | 'parties'>
  let store: Store
  const state = stateFolder()

  const own = async (text: string): Promise<void> => {
    const made = await createDisclosureRules([{ file: 'own.cedar', text }])
    rules = {
      ...made,
      decide: (facts) => {
        evaluated++
        return made.decide(facts)
      }
    }
  }
  /** What the log says, once what was begun before has been written. */
  const verdicts = async () => {
    await store.transaction(async () => undefined)
    return (await readLog(store)).flatMap(({ entry }) =>
      entry.kind === 'decision'
        ? [`${entry.fields.party} ${entry.fields.dataset} ${entry.fields.verdict}`]
        : []
    )
  }
  const parties = new Set<string>()
  const disclosure = () =>
    new Disclosure({
      self: { organisation: 'VU' },
      get rules() {
        return rules
      },
      datasets: { visibilityOf: (id) => visibility[id] },
      isParty: (_dataset, organisation) => parties.has(organisation),
      store,
      clock: { now: () => now },
      log: silentLog,
      changed: () => {
        changes++
      }
    })

  beforeEach(async () => {
    now = NIGHT
    evaluated = 0
    changes = 0
    visibility = { wages: 'members', secret: 'parties' }
    parties.clear()
    store = await state.open()
  })

  it('is decided once for each organisation and dataset, and again under other rules', async () => {
    await own(HIDES)
    const asked = disclosure()
    for (let times = 0; times < 100; times++) {
      expect(asked.visibleTo('wages', 'EVE')).to.equal(false)
      expect(asked.visibleTo('wages', 'UVA')).to.equal(true)
    }
    expect(evaluated).to.equal(2)
    await own('')
    expect(asked.visibleTo('wages', 'EVE')).to.equal(true)
    expect(await verdicts()).to.deep.equal(['EVE wages deny', 'EVE wages permit'])
  })

  it('is looked at again after a minute where a rule reads the time, and then others are told', async () => {
    await own(SLEEPS)
    const asked = disclosure()
    expect(asked.visibleTo('wages', 'UVA')).to.equal(false)
    now += 59_000
    expect(asked.visibleTo('wages', 'UVA')).to.equal(false)
    expect(changes).to.equal(0)
    now += 2_000
    expect(asked.visibleTo('wages', 'UVA')).to.equal(true)
    expect(changes).to.equal(1)
    expect(await verdicts()).to.deep.equal(['UVA wages deny', 'UVA wages permit'])
  })

  it('asks the rules nothing of what is not there, or of parties alone to others, or the own organisation', async () => {
    await own('forbid (principal, action, resource);')
    const asked = disclosure()
    expect(asked.visibleTo('absent', 'UVA')).to.equal(false)
    expect(asked.visibleTo('secret', 'UVA')).to.equal(false)
    expect(asked.visibleTo('wages', 'VU')).to.equal(true)
    expect(asked.visibleTo('absent', 'VU')).to.equal(false)
    expect(evaluated).to.equal(0)
    parties.add('UVA')
    expect(asked.visibleTo('secret', 'UVA')).to.equal(false)
    expect(asked.deniesTo('secret', 'UVA')).to.equal(false)
    expect(asked.deniesTo('secret', 'EVE')).to.equal(true)
  })

  it('is told to all only while nobody can be kept from it', async () => {
    await own('')
    const asked = disclosure()
    expect(asked.visibleTo('wages')).to.equal(true)
    expect(asked.visibleTo('secret')).to.equal(false)
    await own(HIDES)
    expect(asked.visibleTo('wages')).to.equal(false)
    expect(asked.visibleTo('wages', 'unheard-of')).to.equal(true)
  })
})
