import { expect } from 'chai'
import fc from 'fast-check'
import { createDisclosureRules, type DisclosureRules, RulesMalformed } from '../../policy/index.ts'
import { rejectionOf } from '../store/folder.ts'

const NIGHT = Date.parse('2026-05-01T03:00:00Z')
const NOON = Date.parse('2026-05-01T12:00:00Z')

async function rules(text: string): Promise<DisclosureRules> {
  return await createDisclosureRules([{ file: 'own.cedar', text }])
}

function asked(asker: string, dataset = 'wages', now = NOON) {
  return { now, organisation: 'VU', asker, dataset }
}

async function verdicts(text: string, ...askers: string[]): Promise<string[]> {
  const own = await rules(text)
  return askers.map((asker) => own.decide(asked(asker)).verdict)
}

const open = async (text: string, dataset = 'wages'): Promise<boolean> =>
  (await rules(text)).open({ organisation: 'VU', dataset })

describe('Rules about who may know of a dataset', () => {
  it('keep nothing from anybody where there are none', async () => {
    expect(await verdicts('', 'UVA', 'RUG')).to.deep.equal(['permit', 'permit'])
    expect(await open('')).to.equal(true)
  })

  it('forbid it to whom they name, by each way to name an organisation', async () => {
    for (const condition of [
      'when { principal in Organisation::"RUG" }',
      'when { principal.organisation == "RUG" }',
      'when { context.requester == "RUG" }',
      'when { ["RUG", "TUE"].contains(principal.organisation) }',
      'when { principal.organisation like "RU*" }',
      'unless { principal in Organisation::"UVA" }'
    ]) {
      for (const action of ['action', 'action == Action::"discover"', 'action in [Action::"discover"]']) {
        const text = `forbid (principal, ${action}, resource) ${condition};`
        expect(await verdicts(text, 'UVA', 'RUG'), text).to.deep.equal(['permit', 'deny'])
        expect(await open(text), text).to.equal(false)
      }
    }
    const scoped = 'forbid (principal in Organisation::"RUG", action, resource);'
    expect(await verdicts(scoped, 'UVA', 'RUG')).to.deep.equal(['permit', 'deny'])
    expect(await open(scoped)).to.equal(false)
  })

  it('name the rule that forbids', async () => {
    const own = await rules('@id("away") forbid (principal, action == Action::"discover", resource);')
    const { verdict, forbidding } = own.decide(asked('UVA'))
    expect(verdict).to.equal('deny')
    expect(forbidding.map(({ id }) => id)).to.deep.equal(['away'])
  })

  it('leave a dataset open that they are not about', async () => {
    for (const condition of [
      'when { resource.dataset == "wages" && principal.organisation == "RUG" }',
      'when { resource is Agreement && resource.dataset == "wages" }',
      'when { context.datasets.contains("wages") }'
    ]) {
      const text = `forbid (principal, action == Action::"discover", resource) ${condition};`
      expect(await open(text, 'wages'), text).to.equal(false)
      expect(await open(text, 'other'), text).to.equal(true)
      const own = await rules(text)
      expect(own.decide(asked('RUG', 'wages')).verdict, text).to.equal('deny')
      expect(own.decide(asked('RUG', 'other')).verdict, text).to.equal('permit')
    }
  })

  it('are not asked when they read what is known only once there is a request', async () => {
    for (const text of [
      'forbid (principal, action, resource) when { context.purpose == "teaching" };',
      'forbid (principal, action, resource) unless { context.purpose == "research" };',
      'forbid (principal, action, resource) unless { principal.name == "analyst@uva.nl" };',
      'forbid (principal, action, resource) unless { principal == User::"UVA/analyst@uva.nl" };',
      'forbid (principal == User::"RUG/x", action, resource);',
      'forbid (principal, action, resource) unless { context has services && context.services.contains("anonymize") };',
      'forbid (principal, action, resource is Agreement) when { resource.name == "old" };',
      'forbid (principal, action == Action::"offer", resource) when { principal in Organisation::"RUG" };'
    ]) {
      expect(await verdicts(text, 'UVA', 'RUG'), text).to.deep.equal(['permit', 'permit'])
      expect(await open(text), text).to.equal(true)
    }
  })

  it('are asked when they name the question, and then read empty texts', async () => {
    const strict =
      'forbid (principal, action == Action::"discover", resource) unless { context.purpose == "x" };'
    expect(await verdicts(strict, 'UVA')).to.deep.equal(['deny'])
    const aside =
      'forbid (principal, action, resource) unless { action == Action::"discover" || context.purpose == "x" };'
    expect(await verdicts(aside, 'UVA')).to.deep.equal(['permit'])
    expect(await open(aside)).to.equal(true)
  })

  it('may read the time, and then a dataset is never told to all', async () => {
    const text = 'forbid (principal, action, resource) when { context.hour < 6 };'
    const own = await rules(text)
    expect(own.readsTime).to.equal(true)
    expect(own.decide(asked('UVA', 'wages', NIGHT)).verdict).to.equal('deny')
    expect(own.decide(asked('UVA', 'wages', NOON)).verdict).to.equal('permit')
    expect(await open(text)).to.equal(false)
  })

  it('deny what they cannot decide', async () => {
    const own = await rules(
      'forbid (principal, action, resource) when { context.instant * 9223372036854775807 < 0 };'
    )
    const { verdict, undetermined } = own.decide(asked('UVA'))
    expect(verdict).to.equal('deny')
    expect(undetermined).to.match(/overflow/)
  })

  it('are other ones only when those that are asked change', async () => {
    const [one, other, third] = await Promise.all([
      rules(''),
      rules('forbid (principal, action, resource) when { context.purpose == "teaching" };'),
      rules('forbid (principal in Organisation::"RUG", action, resource);')
    ])
    expect(other.policy).to.equal(one.policy)
    expect(third.policy).not.to.equal(one.policy)
  })

  it('are refused as a whole when one cannot be read', async () => {
    expect(await rejectionOf(rules('forbid (principal, action, resource'))).to.be.instanceOf(RulesMalformed)
  })

  it('never tell all of a dataset that they keep from somebody', async () => {
    const organisations = ['UVA', 'RUG', 'TUE']
    const names = fc.constantFrom(...organisations)
    const datasets = fc.constantFrom('wages', 'other')
    const atom = fc.oneof(
      names.map((name) => `principal in Organisation::"${name}"`),
      names.map((name) => `principal.organisation == "${name}"`),
      names.map((name) => `context.requester like "${name.slice(0, 1)}*"`),
      datasets.map((name) => `resource.dataset == "${name}"`),
      datasets.map((name) => `context.datasets.contains("${name}")`),
      fc.constant('context.hour < 6'),
      fc.constant('context.self == "VU"'),
      fc.constant('context.purpose == ""'),
      fc.constant('action == Action::"discover"')
    )
    const condition = fc
      .array(fc.tuple(fc.boolean(), atom), { minLength: 1, maxLength: 3 })
      .chain((parts) =>
        fc
          .constantFrom(' && ', ' || ')
          .map((glue) => parts.map(([not, text]) => `${not ? '!' : ''}(${text})`).join(glue))
      )
    const rule = fc
      .tuple(
        fc.constantFrom('action', 'action == Action::"discover"'),
        fc.constantFrom('when', 'unless'),
        condition
      )
      .map(
        ([action, kind, body]) => `forbid (principal, ${action}, resource is Agreement) ${kind} { ${body} };`
      )
    await fc.assert(
      fc.asyncProperty(fc.array(rule, { maxLength: 3 }), async (texts) => {
        const own = await rules(texts.join('\n'))
        for (const dataset of ['wages', 'other', 'third']) {
          if (!own.open({ organisation: 'VU', dataset })) continue
          for (const asker of [...organisations, 'unheard-of'])
            for (const now of [NIGHT, NOON])
              expect(own.decide(asked(asker, dataset, now)).verdict).to.equal('permit')
        }
      }),
      { numRuns: 60 }
    )
  })
})
