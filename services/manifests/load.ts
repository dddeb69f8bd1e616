import { createHash } from 'node:crypto'
import { access, readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { z } from 'zod'
import { ManifestInvalid } from './errors.ts'
import { algorithmManifest, archetypeManifest, serviceManifest } from './schema.ts'
import { readYaml } from './yaml.ts'

interface Found {
  /** sha2-256 of the file's bytes, in hex. */
  digest: string
  /** Where it was read from, relative to the folder that was loaded. */
  file: string
}
interface WithParameters {
  /** JSON Schema of the parameters. */
  parameters: Record<string, unknown>
}
export type ServiceManifest = Omit<z.infer<typeof serviceManifest>, 'parameters'> & WithParameters & Found
export type AlgorithmManifest = Omit<z.infer<typeof algorithmManifest>, 'parameters'> & WithParameters & Found
export type ArchetypeManifest = z.infer<typeof archetypeManifest> & Found

export interface Manifests {
  services: ReadonlyMap<string, ServiceManifest>
  algorithms: ReadonlyMap<string, AlgorithmManifest>
  archetypes: ReadonlyMap<string, ArchetypeManifest>
}

const MANIFEST = 'manifest.yaml'
/** A name in a file may be as long as the file. */
const LONGEST_PROBLEM = 4_000
const jsonSchema = z.looseObject({ type: z.literal('object') })

/**
 * Reads every service (`FOLDER/manifest.yaml`), algorithm (`algorithm/FOLDER/manifest.yaml`) and archetype
 * (`archetypes/NAME.yaml`) below `folder`: the project's own `services/`, or a folder of the same shape.
 *
 * @throws {ManifestInvalid} naming the file and what was expected
 */
export async function loadManifests(folder: string): Promise<Manifests> {
  const services = await loadRooms(folder, folder, serviceManifest, (manifest) => manifest.service)
  const algorithms = await loadRooms(
    folder,
    join(folder, 'algorithm'),
    algorithmManifest,
    (manifest) => manifest.algorithm
  )
  const archetypes = await loadArchetypes(join(folder, 'archetypes'))
  for (const service of services.values()) {
    for (const next of service.next) {
      if (!services.has(next)) {
        throw new ManifestInvalid(service.file, `next: expected names of services here, found "${next}"`)
      }
    }
  }
  return { services, algorithms, archetypes }
}

/**
 * Reads the archetypes of one folder, a YAML file each; none when the folder is missing.
 *
 * @throws {ManifestInvalid} naming the file and what was expected
 */
export async function loadArchetypes(folder: string): Promise<ReadonlyMap<string, ArchetypeManifest>> {
  const found = new Map<string, ArchetypeManifest>()
  const files = (await names(folder, 'file')).filter((file) => /\.(ya?ml|json)$/.test(file))
  for (const file of files) {
    const { value, digest } = await readManifest(join(folder, file), file, archetypeManifest)
    insert(found, value.archetype, { ...value, digest, file }, file)
  }
  return found
}

async function loadRooms<T extends { parameters: string }>(
  root: string,
  folder: string,
  schema: z.ZodType<T>,
  nameOf: (manifest: T) => string
): Promise<Map<string, Omit<T, 'parameters'> & WithParameters & Found>> {
  const found = new Map<string, Omit<T, 'parameters'> & WithParameters & Found>()
  for (const room of await names(folder, 'folder')) {
    const path = join(folder, room, MANIFEST)
    if (!(await exists(path))) continue
    const file = relative(root, path)
    const { value, digest } = await readManifest(path, file, schema)
    if (nameOf(value) !== room) {
      throw new ManifestInvalid(file, `expected the name of its folder, "${room}", found "${nameOf(value)}"`)
    }
    const schemaPath = join(folder, room, value.parameters)
    const parameters = await readManifest(schemaPath, relative(root, schemaPath), jsonSchema)
    insert(found, room, { ...value, parameters: parameters.value, digest, file }, file)
  }
  return found
}

async function readManifest<T>(
  path: string,
  file: string,
  schema: z.ZodType<T>
): Promise<{ value: T; digest: string }> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw new ManifestInvalid(file, 'expected a readable file', { cause })
  }
  const parsed = schema.safeParse(readYaml(bytes, file))
  if (!parsed.success)
    throw new ManifestInvalid(file, z.prettifyError(parsed.error).slice(0, LONGEST_PROBLEM), {
      cause: parsed.error
    })
  return { value: parsed.data, digest: createHash('sha256').update(bytes).digest('hex') }
}

function insert<T extends Found>(into: Map<string, T>, name: string, value: T, file: string): void {
  const other = into.get(name)
  if (other !== undefined)
    throw new ManifestInvalid(file, `expected a new name, "${name}" is taken by ${other.file}`)
  into.set(name, value)
}

async function names(folder: string, kind: 'file' | 'folder'): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries
      .filter((entry) => (kind === 'folder' ? entry.isDirectory() : entry.isFile()))
      .map((entry) => entry.name)
      .sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false
  )
}
