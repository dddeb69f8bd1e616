import { execFile } from 'node:child_process'
import { mkdir, realpath, rename, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { findSource } from '../../agent/jobs/index.ts'
import { mountSource } from '../../agent/jobs/sources.ts'
import { cleanUp, failureOf, temporaryFolder } from './launchers.ts'

describe('the files of a source', () => {
  let folder: string
  cleanUp()
  beforeEach(async () => {
    folder = await temporaryFolder()
    await mkdir(join(folder, 'd', 'y=1'), { recursive: true })
    await mkdir(join(folder, 'd', '_temporary'))
    for (const name of [
      'a.parquet',
      'b.parquet',
      'y=1/c.parquet',
      'notes.txt',
      '_SUCCESS',
      '_temporary/x.parquet'
    ])
      await writeFile(join(folder, 'd', name), name)
  })
  const files = async (path: string) => (await findSource(join(folder, path))).files
  const refused = async (path: string) => {
    const { code, hint } = await failureOf(findSource(join(folder, path)))
    return [code, hint]
  }

  it('are one, all Parquet below a folder, or what a pattern stands for', async () => {
    expect(await files('d/a.parquet')).to.equal(undefined)
    expect(await files('d')).to.deep.equal(['a.parquet', 'b.parquet', 'y=1/c.parquet'])
    expect(await files('d/*.parquet')).to.deep.equal(['a.parquet', 'b.parquet'])
    expect(await files('d/**/[!a].parquet')).to.deep.equal(['b.parquet', 'y=1/c.parquet'])
    expect(await files('*/?.txt'.replace('?', 'notes'))).to.deep.equal(['d/notes.txt'])
    expect(await refused('d/*.csv')).to.deep.equal(['dataset-missing', '*.csv stands for no file'])
    expect(await refused('e/*.parquet')).to.deep.equal(['dataset-missing', '*.parquet is missing'])
  })

  it('are regular files, and never what a link makes of another folder', async () => {
    await promisify(execFile)('mkfifo', [join(folder, 'd', 'pipe.parquet')])
    expect(await refused('d/pipe.parquet')).to.deep.equal([
      'dataset-malformed',
      'pipe.parquet: expected a regular file, found a pipe'
    ])
    expect(await refused('d')).to.deep.equal([
      'dataset-malformed',
      'pipe.parquet: expected a regular file, found a pipe'
    ])
    expect((await failureOf(findSource('/dev/zero'))).hint).to.equal(
      'zero: expected a regular file, found a device'
    )
    await mkdir(join(folder, 'l'))
    await writeFile(join(folder, 'l', 'real.parquet'), '')
    await symlink('real.parquet', join(folder, 'l', 'inside.parquet'))
    expect(await files('l')).to.deep.equal(['real.parquet'])
    await symlink('/etc/passwd', join(folder, 'l', 'out.parquet'))
    const says =
      'out.parquet: a link that leads out of its folder; write the path it leads to into the description'
    expect(await refused('l/out.parquet')).to.deep.equal(['dataset-malformed', says])
    expect(await refused('l')).to.deep.equal(['dataset-malformed', says])
    await symlink('gone', join(folder, 'l', 'dangling.csv'))
    expect(await refused('l/dangling.csv')).to.deep.equal(['dataset-missing', 'dangling.csv is missing'])
  })

  it('have another version when one of them is replaced, added, taken away, or written under its old time', async () => {
    const seen = new Set<string>()
    const other = async (path: string) => {
      const { version } = await findSource(join(folder, path))
      const known = seen.has(version)
      seen.add(version)
      expect((await findSource(join(folder, path))).version).to.equal(version)
      return !known
    }
    expect(await other('d')).to.equal(true)
    expect(await other('d')).to.equal(false)
    await writeFile(join(folder, 'd', 'new.parquet'), '')
    expect(await other('d')).to.equal(true)
    await rename(join(folder, 'd', 'new.parquet'), join(folder, 'd', 'y=1', 'new.parquet'))
    expect(await other('d')).to.equal(true)
    await utimes(join(folder, 'd', 'a.parquet'), 1, 1)
    expect(await other('d')).to.equal(true)
    await writeFile(join(folder, 'd', 'a.parquet'), 'A.PARQUET')
    await utimes(join(folder, 'd', 'a.parquet'), 1, 1)
    expect(await other('d')).to.equal(true)
  })

  it('of a database are also its log and its journal, unless they are empty', async () => {
    const path = join(folder, 'x.db')
    await writeFile(path, 'x')
    const { beside, version } = await findSource(path)
    expect(beside).to.deep.equal([])
    await writeFile(`${path}-wal`, 'y')
    const logged = await findSource(path)
    expect(logged.beside).to.deep.equal([`${path}-wal`])
    expect(logged.version).not.to.equal(version)
    await truncate(`${path}-wal`)
    expect((await findSource(path)).version).to.equal(version)
  })

  it('of a database that a link leads to lie beside the file itself', async () => {
    await mkdir(join(folder, 'v2'))
    await writeFile(join(folder, 'v2', 'x.db'), 'x')
    await writeFile(join(folder, 'v2', 'x.db-wal'), 'y')
    await symlink('v2/x.db', join(folder, 'x.db'))
    const real = await realpath(folder)
    expect((await findSource(join(folder, 'x.db'))).beside).to.deep.equal([join(real, 'v2', 'x.db-wal')])
  })

  it('of a database are no log or journal from elsewhere, and none that is no file', async () => {
    await writeFile(join(folder, 'x.db'), 'x')
    await symlink('/etc/passwd', join(folder, 'x.db-wal'))
    const says =
      'x.db-wal: a link that leads out of its folder; write the path it leads to into the description'
    expect(await refused('x.db')).to.deep.equal(['dataset-malformed', says])
    await writeFile(join(folder, 'y.db'), 'y')
    await mkdir(join(folder, 'y.db-journal'))
    expect(await refused('y.db')).to.deep.equal([
      'dataset-malformed',
      'y.db-journal: expected a regular file, found a folder'
    ])
  })

  it('have no name that the engine would take for a pattern', async () => {
    await writeFile(join(folder, 'd', 'a[1].parquet'), 'x')
    expect(await refused('d')).to.deep.equal([
      'dataset-malformed',
      'a[1].parquet: expected a name without "*", "?" and "["'
    ])
  })

  it('of a pattern are all that a job sees of its folder', async () => {
    const { seen, binds } = await mountSource(
      await findSource(join(folder, 'd', '**/*.parquet')),
      0,
      folder,
      false
    )
    const inside = seen.path
    expect([...binds]).to.deep.equal(
      ['a.parquet', 'b.parquet', 'y=1/c.parquet'].map((name) => [join(folder, 'd', name), join(inside, name)])
    )
  })
})
