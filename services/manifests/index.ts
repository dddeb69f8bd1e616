/** What services, algorithms and archetypes say of themselves, read from their folders. */
export { ManifestInvalid } from './errors.ts'
export type { AlgorithmManifest, ArchetypeManifest, Manifests, ServiceManifest } from './load.ts'
export { loadArchetypes, loadManifests } from './load.ts'
export { algorithmManifest, archetypeManifest, roleName, serviceManifest } from './schema.ts'
