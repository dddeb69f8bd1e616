import { expect } from 'chai'
import { resourceFailure } from '../../services/engine/index.ts'
import { Failure } from '../../services/failure/index.ts'

describe('What a job runs out of', () => {
  for (const code of ['ENOSPC', 'EDQUOT'])
    it(`is disk when a file cannot be written for ${code}, whoever wrote it`, () => {
      const error = Object.assign(new Error(`${code}: write`), { code })
      expect(resourceFailure(error)).to.include({ code: 'disk-limit' })
    })

  it('is nothing when a file fails otherwise, or the failure is known', () => {
    expect(resourceFailure(Object.assign(new Error('EACCES: open'), { code: 'EACCES' }))).to.equal(undefined)
    expect(resourceFailure(new Failure('sql-runtime', 'no'))).to.equal(undefined)
  })
})
