import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { markersIn, toTaskBody } from '../../connectors/crms/hubspot/task-body.ts'

describe('the body of a task', () => {
  it('is safe HTML with the marker on its last line', () => {
    expect(toTaskBody('Anna <anna@x.example> & co\r\nuses "export"', 'rp-1')).toBe(
      'Anna &lt;anna@x.example&gt; &amp; co<br>uses &quot;export&quot;<br><br>Ref: rp-1',
    )
  })

  it('loses its end rather than the marker when it is too long', () => {
    const body = toTaskBody('<'.repeat(70_000), 'rp-1')
    expect(body.length).toBeLessThanOrEqual(65_536)
    expect(body.endsWith('&lt;<br><br>Ref: rp-1')).toBe(true)
  })

  it('gives back every marker, whatever the text', () => {
    const marker = fc.stringMatching(/^[\w&<>"'.:-]{1,30}$/)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), marker, (text, code) => {
        expect(markersIn(toTaskBody(text, code)).at(-1)).toBe(code)
      }),
    )
  })

  it('holds no element but line breaks, whatever the text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(toTaskBody(text, 'rp-1').replaceAll('<br>', '')).not.toMatch(/[<>]/)
      }),
    )
  })
})

describe('a marker', () => {
  it.each([
    { name: 'is found in paragraphs', body: '<p>Hello</p><p>Ref:&nbsp;rp-1</p>', want: ['rp-1'] },
    {
      name: 'is found after other line breaks',
      body: 'Hello<br />Ref: rp-1<BR/>done',
      want: ['rp-1'],
    },
    { name: 'is found inside other elements', body: '<div><b>Ref: rp-1</b></div>', want: ['rp-1'] },
    { name: 'is found with entities', body: 'Ref: a&#38;b&#x27;', want: ["a&b'"] },
    { name: 'is the whole word only', body: 'Ref: rp-10', want: ['rp-10'] },
    { name: 'is nowhere else', body: 'see Ref: rp-1', want: [] },
  ])('$name', ({ body, want }) => {
    expect(markersIn(body)).toEqual(want)
  })
})
