import { execFile } from 'node:child_process'
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { columnsToCopy } from '../../agent/jobs/connector.ts'
import { mountSource } from '../../agent/jobs/sources.ts'
import { cleanUp, failureOf, temporaryFolder } from './launchers.ts'

describe('what a job reads of its owner', () => {
  cleanUp()

  it('are the columns that are named, also by a predicate with quotes in its names', () => {
    const columns = [`it's`, 'secret', `o'x`, 'a "b"', 'Id', 'other', 'more'].map((name) => ({ name }))
    const where = `"it's" = 1 AND "secret" = '"other" it''s "more"' AND "o'x" = 3 OR "a ""b""" = "ID"`
    expect(columnsToCopy({ name: 't', path: 'p', format: 'postgres', columns }, [], where)).to.deep.equal(
      columns.slice(0, 5).map(({ name }) => name)
    )
  })

  it('is no pipe that took the place of a file', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'in'))
    const path = join(folder, 'a.csv')
    await promisify(execFile)('mkfifo', [path])
    await chmod(path, 0o600)
    const found = { path, beside: [], bytes: 1, version: '' }
    expect((await failureOf(mountSource(found, 0, folder, true))).code).to.equal('dataset-changed')
  })
})
