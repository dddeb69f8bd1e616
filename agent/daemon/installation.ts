import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { DynamosError } from '../../protocol/errors/index.ts'

/** Where the program's own files are, run from source or from the bundle. */
export interface Installation {
  version: string
  /** The bundled runner of jobs. */
  runner: string
  /** The bundled process that checks a long log. */
  logCheck: string
  /** Manifests of services and archetypes. */
  services: string
  nodeModules: string
}

export class InstallationBroken extends DynamosError {
  static override readonly name = 'InstallationBroken'
  constructor(message: string) {
    super('internal', message)
  }
}

const packageFile = z.looseObject({ name: z.string(), version: z.string() })
const NAME = 'dynamos-agent'

/** @throws {InstallationBroken} when files that belong to the program are missing */
export function findInstallation(from = fileURLToPath(import.meta.url)): Installation {
  for (let folder = dirname(from); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (!existsSync(file)) continue
    const parsed = packageFile.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    if (!parsed.success || parsed.data.name !== NAME) continue
    const built = join(folder, 'dist', 'services')
    const runner = join(folder, 'dist', 'runner.js')
    if (!existsSync(runner)) throw new InstallationBroken(`expected ${runner}; run \`npm run build\``)
    return {
      version: parsed.data.version,
      runner,
      logCheck: join(folder, 'dist', 'log-check.js'),
      services: existsSync(built) ? built : join(folder, 'services'),
      nodeModules: join(folder, 'node_modules')
    }
  }
  throw new InstallationBroken(`expected the files of ${NAME} around ${from}`)
}
