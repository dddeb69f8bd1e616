import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import { ASKED_ABOUT } from '../../policy/engine/situations.ts'
import {
  createCedarEngine,
  decideAsProvider,
  loadRuleReader,
  QUESTIONS,
  type RulePlace,
  type RuleReader
} from '../../policy/index.ts'
import { anAgreement, providerFacts } from './builders.ts'

const ALL = '(principal, action, resource)'

describe('What is said about rules before they are in force', () => {
  let reader: RuleReader
  before(async () => {
    reader = await loadRuleReader()
  })

  const lint = (text: string, place: Omit<RulePlace, 'of'> = {}) =>
    reader.folder([{ file: 'own.cedar', text }], place)
  const kinds = (text: string, place: Omit<RulePlace, 'of'> = {}) =>
    lint(text, place).map(({ kind, line }) => `${line} ${kind}`)
  const agreed = (text: string) => reader.agreement(text).map(({ kind, line }) => `${line} ${kind}`)

  it('is nothing, of rules that are in order', () => {
    expect(
      kinds(`forbid ${ALL} when { context.hour < 6 };\nforbid ${ALL} when { context.hour > 22 };`)
    ).to.deep.equal([])
  })

  describe('that can never fire', () => {
    for (const condition of [
      'false',
      '1 > 2',
      'context.hour > 23',
      'context.hour < 3 && context.hour > 5',
      '!(context.hour >= 0)',
      'context.purpose == "a" && context.purpose == "b"',
      'context.purpose == "a" && context.purpose != "a"',
      '["a", "b"].contains(context.purpose) && context.purpose == "c"',
      'action == Action::"send" && action == Action::"offer"',
      'context.recipients.contains("A") && !(context.recipients.contains("A"))',
      'resource is Hosting && resource is Delivery',
      'context has flow && resource is Agreement',
      'if context.hour < 5 then context.hour > 6 else false'
    ])
      it(condition, () => {
        expect(kinds(`\nforbid ${ALL} when { ${condition} };`)).to.deep.equal(['2 never-fires'])
      })

    it('by their scope', () => {
      expect(kinds('forbid (principal, action == Action::"host", resource is Contract);')).to.deep.equal([
        '1 never-fires'
      ])
    })

    it('in an agreement, which is asked about nothing but itself', () => {
      expect(agreed('forbid (principal, action == Action::"host", resource);')).to.deep.equal([
        '1 never-fires'
      ])
      expect(agreed('forbid (principal, action == Action::"offer", resource);')).to.deep.equal([])
    })
  })

  it('that are about what an organisation does not do, or about what nobody asks there', () => {
    const hosting = 'forbid (principal, action, resource is Hosting) when { context.hour < 6 };'
    expect(kinds(hosting, { roles: ['dataProvider'] })).to.deep.equal(['1 unused'])
    expect(kinds(hosting, { roles: ['computeProvider'] })).to.deep.equal([])
    const discovery = 'forbid (principal, action == Action::"discover", resource);'
    expect(agreed(discovery)).to.deep.equal(['1 unused'])
    expect(kinds(discovery)).to.deep.equal([])
  })

  it('that fire always', () => {
    expect(kinds(`forbid ${ALL};`)).to.deep.equal(['1 always-fires'])
    expect(kinds(`forbid ${ALL} when { context.hour < 24 };`)).to.deep.equal(['1 always-fires'])
    expect(kinds(`forbid ${ALL} unless { context.hour > 5 && context.hour < 3 };`)).to.deep.equal([
      '1 always-fires'
    ])
    expect(agreed(`forbid ${ALL};`)).to.deep.equal(['1 always-fires'])
  })

  it('that others make needless, naming them', () => {
    const wide = `@id("night") forbid ${ALL} when { context.hour < 6 };`
    const narrow = `forbid (principal, action == Action::"offer", resource) when { context.hour < 4 && context.purpose == "x" };`
    expect(kinds(`${wide}\n${narrow}`)).to.deep.equal(['2 shadowed'])
    expect(lint(`${narrow}\n${wide}`)[0]?.message).to.include('"night" (own.cedar:2)')
    const same = `forbid ${ALL} when { context.hour < 6 };`
    expect(kinds(`${same}\n${same}`)).to.deep.equal(['2 shadowed'])
    expect(
      kinds(`${same}\nforbid ${ALL} when { context.hour < 7 && context.purpose == "x" };`)
    ).to.deep.equal([])
  })

  it('of names that nobody knows, with the place and the nearest', () => {
    const known = {
      purpose: ['research', 'teaching'],
      archetype: ['computeToData'],
      organisation: ['VU', 'UVA'],
      service: ['anonymize']
    }
    const text = `forbid ${ALL} when {\n  context.purpose == "reserch" ||\n  context.archetype == "computeToData" ||\n  context.recipients.contains("UVB") ||\n  principal in Organisation::"UVX" || ["teaching"].contains(context.purpose)\n};`
    expect(
      lint(text, { known }).map(({ line, column, message }) => `${line}:${column} ${message}`)
    ).to.deep.equal([
      '2:22 unknown purpose "reserch"; did you mean "research"?',
      '4:31 unknown organisation "UVB"; did you mean "UVA"?',
      '5:30 unknown organisation "UVX"; did you mean "UVA"?'
    ])
    expect(lint(text)).to.deep.equal([])
  })

  it('that share an @id', () => {
    const rule = (hour: number) => `@id("a") forbid ${ALL} when { context.hour == ${hour} };`
    expect(kinds(`${rule(1)}\n${rule(2)}`)).to.deep.equal(['2 odd'])
  })

  it('that are malformed, with the place, the line and a suggestion', () => {
    const [finding, ...others] = lint(`forbid ${ALL}\nwhen { context.purpos == "x" };`)
    expect(others).to.deep.equal([])
    expect(finding).to.deep.include({
      level: 'error',
      kind: 'malformed',
      line: 2,
      column: 8,
      source: 'when { context.purpos == "x" };'
    })
    expect(finding?.message).to.include('did you mean `purpose`?')
    expect(kinds('forbd (principal, action, resource);')).to.deep.equal(['1 malformed'])
    expect(lint('permit (principal, action, resource);')[0]?.message).to.match(/a permit lifts nothing here/)
  })

  it('knows which questions are about which resources as the schema does', async () => {
    const schema = await readFile(new URL('../../policy/engine/schema.cedarschema', import.meta.url), 'utf8')
    const found = Object.fromEntries(
      [...schema.matchAll(/action ([^{]*?) appliesTo \{[^}]*?resource: \[([^\]]*)\]/g)].flatMap(
        ([, actions = '', subjects = '']) =>
          actions.split(',').map((action) => [action.trim().replaceAll('"', ''), subjects.split(', ')])
      )
    )
    expect(found).to.deep.equal(ASKED_ABOUT)
    expect(Object.keys(found).sort()).to.deep.equal([...QUESTIONS].sort())
  })

  it('agrees with what the rules do, for any rule of hours and purposes', async () => {
    const atom = fc.oneof(
      fc
        .tuple(fc.constantFrom('<', '<=', '>', '>=', '=='), fc.integer({ min: -1, max: 25 }))
        .map(([operator, hour]) => `context.hour ${operator} ${hour}`),
      fc.constantFrom(
        'context.purpose == "research"',
        'context.purpose == "x"',
        '["x", "y"].contains(context.purpose)'
      )
    )
    const { condition } = fc.letrec<{ condition: string }>((tie) => ({
      condition: fc.oneof(
        { maxDepth: 3 },
        atom,
        fc
          .tuple(tie('condition'), fc.constantFrom('&&', '||'), tie('condition'))
          .map(([one, operator, other]) => `(${one} ${operator} ${other})`),
        tie('condition').map((one) => `!(${one})`)
      )
    }))
    await fc.assert(
      fc.asyncProperty(condition, async (text) => {
        const rule = `forbid ${ALL} when { ${text} };`
        const found = kinds(rule)
        if (!found.includes('1 never-fires') && !found.includes('1 always-fires')) return
        const engine = await createCedarEngine([{ file: 'own.cedar', text: rule }])
        const agreement = anAgreement({ purposes: '*' })
        for (let hour = 0; hour < 24; hour += 1)
          for (const purpose of ['research', 'x', 'other']) {
            const facts = providerFacts({ now: Date.UTC(2026, 5, 1, hour), purpose }, [agreement])
            const { verdict } = decideAsProvider(engine, facts, [agreement])
            expect(verdict, `${text} at ${hour} for ${purpose}`).to.equal(
              found.includes('1 never-fires') ? 'permit' : 'deny'
            )
          }
      }),
      { numRuns: 60 }
    )
  })
})
