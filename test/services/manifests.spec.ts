import { createHash } from 'node:crypto'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { loadArchetypes, loadManifests, ManifestInvalid } from '../../services/index.ts'
import { scratchFolder } from './scratch.ts'

const SERVICES = fileURLToPath(new URL('../../services/', import.meta.url))

describe('manifests', () => {
  it('are found from their folders', async () => {
    const { services, algorithms, archetypes } = await loadManifests(SERVICES)
    expect([...services.keys()]).to.deep.equal(['aggregate', 'algorithm', 'anonymize', 'query'])
    expect([...algorithms.keys()]).to.deep.equal([
      'average',
      'correlation',
      'crosstab',
      'describe',
      'histogram',
      'regression',
      'table',
      'topk'
    ])
    expect([...archetypes.keys()]).to.deep.equal(['computeToData', 'dataThroughTtp'])
  })

  it('say what may follow what', async () => {
    const { services } = await loadManifests(SERVICES)
    const next = Object.fromEntries([...services].map(([name, manifest]) => [name, manifest.next]))
    expect(next).to.deep.equal({
      query: ['anonymize', 'aggregate', 'algorithm'],
      anonymize: ['aggregate', 'algorithm'],
      aggregate: ['algorithm'],
      algorithm: []
    })
    expect(services.get('aggregate')?.invalidIn).to.deep.equal(['computeToData'])
  })

  it('carry the digest of their bytes and the schema of their parameters', async () => {
    const { services, algorithms } = await loadManifests(SERVICES)
    const bytes = await readFile(join(SERVICES, 'query', 'manifest.yaml'))
    expect(services.get('query')?.digest).to.equal(createHash('sha256').update(bytes).digest('hex'))
    expect(algorithms.get('average')?.parameters).to.have.nested.property('properties.value')
    expect(algorithms.get('average')?.mergeable).to.equal(true)
  })

  describe('in a folder of one’s own', () => {
    let folder: string
    beforeEach(async () => {
      folder = await scratchFolder()
      await cp(SERVICES, folder, { recursive: true })
    })
    const refusal = async (): Promise<ManifestInvalid> => {
      try {
        await loadManifests(folder)
      } catch (error) {
        if (error instanceof ManifestInvalid) return error
        throw error
      }
      throw new Error('loaded')
    }

    it('a new folder is a new service', async () => {
      await mkdir(join(folder, 'graph'))
      const text =
        'service: graph\nversion: 1.0.0\nlabel: computeProvider\ninputs: {min: 1, max: 1}\nnext: []\ninvalidIn: []\nparameters: schema.json\n'
      await writeFile(join(folder, 'graph', 'manifest.yaml'), text)
      await writeFile(join(folder, 'graph', 'schema.json'), '{"type": "object"}')
      expect((await loadManifests(folder)).services.has('graph')).to.equal(true)
    })

    it('an unknown key is named with its file', async () => {
      await writeFile(join(folder, 'query', 'manifest.yaml'), 'service: query\ncolour: red\n')
      const { message, file, code } = await refusal()
      expect(code).to.equal('manifest-invalid')
      expect(file).to.equal(join('query', 'manifest.yaml'))
      expect(message).to.match(/colour/)
    })

    it('a follower that does not exist is named', async () => {
      const path = join(folder, 'query', 'manifest.yaml')
      await writeFile(path, (await readFile(path, 'utf8')).replace('[anonymize,', '[anonymise,'))
      expect((await refusal()).message).to.match(/found "anonymise"/)
    })

    it('a name that is not the folder’s is refused', async () => {
      const path = join(folder, 'algorithm', 'table', 'manifest.yaml')
      await writeFile(path, (await readFile(path, 'utf8')).replace('algorithm: table', 'algorithm: tabel'))
      expect((await refusal()).message).to.match(/expected the name of its folder, "table", found "tabel"/)
    })

    it('a file that is no YAML is refused with its place', async () => {
      await writeFile(join(folder, 'archetypes', 'mine.yaml'), 'archetype: [')
      expect((await refusal()).message).to.match(/^mine.yaml: expected YAML: .*line 1/s)
    })

    it('a missing schema is named', async () => {
      const path = join(folder, 'query', 'manifest.yaml')
      await writeFile(path, (await readFile(path, 'utf8')).replace('schema.json', 'absent.json'))
      expect((await refusal()).file).to.equal(join('query', 'absent.json'))
    })

    it('two archetypes of one name are refused', async () => {
      await cp(join(folder, 'archetypes', 'computeToData.yaml'), join(folder, 'archetypes', 'other.yaml'))
      expect((await refusal()).message).to.match(/"computeToData" is taken by computeToData.yaml/)
    })
  })

  it('an agent without archetypes of its own has none', async () => {
    expect((await loadArchetypes(join(SERVICES, 'nowhere'))).size).to.equal(0)
  })
})
