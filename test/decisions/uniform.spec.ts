import { expect } from 'chai'
import { decisionEntry } from '../../agent/decisions/decision-entry.ts'
import { uniform } from '../../agent/decisions/uniform.ts'
import type { Verdict } from '../../policy/index.ts'
import type { RefusalCode } from '../../protocol/documents/index.ts'

const deny = (code: RefusalCode): Verdict => ({
  verdict: 'deny',
  refusal: { code, clause: null, reason: '', acceptable: null, position: null },
  clauses: [],
  detail: null,
  policy: 'p'
})
const entry = (row: number, verdict: Verdict = deny('no-agreement'), time = row) => ({
  entry: decisionEntry(time, 'request', null, 'offer', verdict, row),
  basis: undefined
})

describe('decisions about the rows of a request', () => {
  it('are one in the log when every row was refused in the same words', () => {
    const [logged, ...others] = uniform([entry(0), entry(1), entry(2)], 3)
    expect(others).to.deep.equal([])
    expect(logged?.entry.fields).to.deep.equal({
      question: 'offer',
      verdict: 'deny',
      clauses: [],
      policy: 'p',
      code: 'no-agreement'
    })
  })

  it('are told apart when one of them differs, or a row was not asked about', () => {
    const mixed = [entry(0), entry(1, deny('busy'))]
    expect(uniform(mixed, 2)).to.deep.equal(mixed)
    const partly = [entry(0), entry(2)]
    expect(uniform(partly, 3)).to.deep.equal(partly)
  })

  it('are told apart when they permit', () => {
    const permit: Verdict = { verdict: 'permit', clauses: [], policy: 'p' }
    const permitted = [entry(0, permit), entry(1, permit)]
    expect(uniform(permitted, 2)).to.deep.equal(permitted)
  })
})
