import { expect } from 'chai'
import { SCHEMA } from '../../policy/index.ts'
import { text } from '../architecture/sources.ts'

describe('The page about policy', () => {
  const page = text('docs/policy.md')

  it('explains every attribute of the schema with its type', () => {
    const attributes = [...SCHEMA.matchAll(/^ {2}(\w+)\??: ([\w<>]+),?$/gm)]
    expect(attributes.length).to.be.greaterThan(40)
    const missing = attributes.filter(([, name, type = '']) => {
      const said =
        page.includes(`\`${name}\``) ||
        page.includes(`${name}: ${type}`) ||
        page.includes(`.${name}: ${type}`)
      return !said && type !== 'Facts'
    })
    expect(missing.map(([line]) => line)).to.deep.equal([])
  })

  it('has the types of all facts', () => {
    const [, facts = ''] = /type Facts = \{(.*?)\n\};/s.exec(SCHEMA) ?? []
    for (const [, name = '', optional, type = ''] of facts.matchAll(/^ {2}(\w+)(\??): ([\w<>]+),?$/gm))
      expect(page).to.include(`| \`${name}\` | ${type}${optional} |`)
  })

  it('names every question', () => {
    for (const [, actions = ''] of SCHEMA.matchAll(/^action (.*) appliesTo/gm))
      for (const action of actions.split(', ')) expect(page).to.include(`\`${action.replaceAll('"', '')}\``)
  })
})
