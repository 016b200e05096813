import { openGrafeo } from '../../../src/graph/grafeo.js'
import { describeEngine } from './engine-contract.js'

describeEngine('grafeo', () => openGrafeo({ folder: null }), {
  unsupported: [
    /COLLECT \{/, // no COLLECT subquery: COUNT, EXISTS and pattern comprehensions are there
    /:Table&!View/, // no label expressions in patterns: n:Table OR n:View in WHERE
    /\(n:Table WHERE/, // no WHERE inside a node's parentheses
    /^MATCH p = \(n:Table\) RETURN p$/, // no path of one node only: RETURN n
    /\{1,3\}/, // no quantified path patterns: -[:R*1..3]->
    /duration\.between|date\.truncate/, // no dotted functions
    /CALL db\.propertyKeys$/, // parentheses are needed
  ],
})
