import { expect } from 'chai'
import { createCedarEngine } from '../../policy/index.ts'

const rule = (body: string) => `forbid (principal, action, resource) when { ${body} };\n`

describe('A rule that is more than the engine can take', () => {
  const cases: [string, string, RegExp][] = [
    ['brackets', `${'('.repeat(3000)}true${')'.repeat(3000)}`, /at most 48 brackets/],
    ['conditions', `${'if true then true else '.repeat(3000)}true`, /at most 48 brackets and conditions/],
    ['additions', `${Array(3000).fill('1').join(' + ')} == 1`, /at most 1000 operators/],
    ['members', `context${'.a'.repeat(3000)} == 1`, /at most 1000 operators/]
  ]
  for (const [what, body, said] of cases)
    it(`is refused for its ${what}, and the engine decides on`, async () => {
      const text = `${rule('false')}${rule(body)}`
      await createCedarEngine([{ file: 'own.cedar', text }]).then(
        () => expect.fail('it was taken'),
        (error: unknown) =>
          expect(String(error))
            .to.match(said)
            .and.match(/own\.cedar:2:/)
      )
      const { rules } = await createCedarEngine([{ file: 'own.cedar', text: rule('false') }])
      expect(rules).to.have.length(1)
    })

  it('may be a long list, many rules, and brackets in a text', async () => {
    const names = Array.from({ length: 4000 }, (_, index) => `"p${index}"`).join(', ')
    const text = `${rule(`[${names}].contains(context.purpose)`)}${rule(`context.purpose == "${'('.repeat(500)}"`).repeat(40)}`
    const { rules } = await createCedarEngine([{ file: 'own.cedar', text }])
    expect(rules).to.have.length(41)
  })
})
