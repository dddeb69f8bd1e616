/**
 * Parts of flows on disk: read from files that jobs wrote, received into a folder of their own. A received part is there
 * under its final name only when every byte was verified and is on disk.
 *
 * @example
 * ```ts
 * const sink = await filePartSink(join(folder, 'in', '0'))
 * await receiveParts(stream, async () => ({ sink, maxParts: 100, maxBytes: 1 << 30 }))
 * ```
 */
export { type FilePartSink, filePartSink } from './file-sink.ts'
export { type FilePart, filePartSource } from './file-source.ts'
