import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { detectSandbox, type JobFolder, type Launcher } from '../../agent/jobs/index.ts'
import { drawPicture, type Order, type Picture } from '../../scripts/charts/draw.ts'
import { EXAMPLES } from '../../scripts/charts/examples.ts'
import { Engine } from '../../services/engine/index.ts'
import { text } from '../architecture/sources.ts'
import { aLauncher, cleanUp, failureOf, LIMITS } from '../jobs/launchers.ts'

/** Words of a picture, without what the way of drawing changes. */
const wordsOf = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, words]) => words)

describe('drawing, in a job', () => {
  let launcher: Launcher
  let engine: Engine
  cleanUp()
  before(async () => {
    const { kind } = await detectSandbox()
    launcher = await aLauncher({ sandbox: kind })
    engine = await Engine.open()
  })

  const drawn = async <T>(
    sql: string,
    graph: Order,
    read: Parameters<typeof drawPicture<T>>[3]
  ): Promise<T> => await drawPicture({ launcher, engine, limits: LIMITS }, sql, graph, read)
  const svgOf = async (picture: Picture, folder: JobFolder): Promise<string> => {
    const [svg] = picture.files
    if (svg === undefined) throw new Error(picture.notes.join())
    return await readFile(join(folder.path, svg.part.path), 'utf8')
  }

  for (const { name, sql, ...order } of EXAMPLES)
    it(`gives the picture of docs/charts: ${name}`, async () => {
      const svg = await drawn(sql, order, svgOf)
      expect(wordsOf(svg)).to.deep.equal(wordsOf(text(`docs/charts/${name}.svg`)))
      expect(svg).to.match(/^<svg role="img"[^>]*><title>[^<]+<\/title><desc>[^<]+<\/desc>/)
    })

  it('gives SVG, PNG, and the specification with its data', async () => {
    await drawn("SELECT 'a' AS k, 1 AS n UNION ALL SELECT 'b', 2", {}, async (picture, folder) => {
      expect(picture.files.map((file) => file.format)).to.deep.equal(['svg', 'png', 'vl.json'])
      const [, png, specification] = await Promise.all(
        picture.files.map(async (file) => await readFile(join(folder.path, file.part.path)))
      )
      expect(png?.subarray(1, 4).toString()).to.equal('PNG')
      expect(JSON.parse(String(specification)))
        .to.have.nested.property('datasets.result')
        .with.length(2)
    })
  })

  it('escapes what names and values hold', async () => {
    const svg = await drawn(
      `SELECT * FROM (VALUES ('<script>alert(1)</script>', 1), ('"&', 2), (chr(7) || 'bell', 3)) v("<b>k</b>", n)`,
      {},
      svgOf
    )
    expect(svg).not.to.include('<script')
    expect(svg).to.include('&lt;script&gt;alert(1)').and.to.include('&lt;b&gt;k')
    expect(svg).not.to.include('\u0007')
  })

  it('says so when there is nothing to draw', async () => {
    const { files, notes } = await drawn('SELECT 1 AS n WHERE false', {}, async (picture) => picture)
    expect(files).to.deep.equal([])
    expect(notes).to.deep.equal(['no picture: the result has no rows'])
  })

  it('survives infinities, NaN and columns that are all NULL', async () => {
    const { files } = await drawn(
      "SELECT * FROM (VALUES ('a', 'inf'::DOUBLE, NULL::BIGINT), ('b', 'nan', NULL), ('c', 1, NULL)) v(k, x, y)",
      {},
      async (picture) => picture
    )
    expect(files).to.have.length(3)
  })

  for (const [what, specification] of [
    ['is no JSON', 'mark: bar'],
    ['loads', '{"mark":"bar","data":{"url":"file:///etc/passwd"}}'],
    ['names a column that is not there', '{"mark":"bar","encoding":{"x":{"field":"m","type":"nominal"}}}'],
    ['is none that Vega-Lite knows', '{"layer":[{"data":1}]}']
  ] as const)
    it(`fails by its code when the given specification ${what}`, async () => {
      const failure = await failureOf(drawn('SELECT 1 AS n', { specification }, async () => undefined))
      expect(failure.code).to.equal('graph-specification')
      expect(failure.hint).to.match(/^options\.graph: /)
    })
})
