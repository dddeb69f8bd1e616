import { expect } from 'chai'
import fc from 'fast-check'
import { REQUESTER, textView } from '../../policy/index.ts'
import { anyAgreement, CLAUSES } from './any-terms.ts'

describe('an agreement in plain language', () => {
  it('names every name of any agreement', () => {
    fc.assert(
      fc.property(anyAgreement, (agreed) => {
        const text = textView(agreed)
        const { consumers, tables, anonymize, about, ...others } = agreed.terms
        const names = [
          agreed.name,
          agreed.provider,
          agreed.dataset,
          ...consumers.map((one) => ('user' in one ? one.user.name : one.organisation)),
          ...[
            others.purposes,
            others.archetypes,
            others.computeProviders,
            others.recipients,
            others.algorithms
          ]
            .filter((list) => list !== '*')
            .flat(),
          ...others.services.require,
          ...others.services.forbid,
          ...(tables === '*' ? [] : Object.entries(tables)).flatMap(([name, { columns, where }]) => [
            name,
            ...(columns === '*' ? [] : columns),
            ...(where === undefined ? [] : [where])
          ]),
          ...(anonymize === undefined
            ? []
            : [...anonymize.pseudonymise, ...anonymize.suppress, ...Object.keys(anonymize.generalise)]),
          ...Object.entries(about).flat()
        ].filter((name) => name !== REQUESTER)
        for (const name of names) expect(text).to.include(name)
      })
    )
  })

  it('has a sentence about each clause that narrows something', () => {
    fc.assert(
      fc.property(anyAgreement, ({ terms: agreed, ...names }) => {
        const text = (changed: typeof agreed) => textView({ ...names, terms: changed })
        const { limits, output, approval, sandbox, valid } = agreed
        const whole = text(agreed)
        if (limits !== undefined) expect(whole).to.match(/At most \d+ requests in/)
        if (output.maxRows !== undefined) expect(whole).to.include(`${output.maxRows} rows`)
        if (approval !== undefined) expect(whole).to.include('waits until')
        if (sandbox === 'required') expect(whole).to.include('jobs run in sandboxes')
        for (const bound of ['from', 'until'] as const)
          if (valid[bound] !== undefined)
            expect(text({ ...agreed, valid: { ...valid, [bound]: valid[bound] + 86_400_000 } })).not.to.equal(
              whole
            )
      })
    )
  })

  it('is tried with every clause that there is', () => {
    const seen = new Set(fc.sample(anyAgreement, 200).flatMap((one) => Object.keys(one.terms)))
    expect([...seen].sort()).to.deep.equal([...CLAUSES].sort())
  })
})
