/**
 * Published runs of SRP with Cognito, from clients' own tests. All numbers are hexadecimal.
 *
 * @see https://github.com/soto-project/soto-cognito-authentication-kit (SRPTests.swift: testSRPAValue, testSRPKey)
 * @see https://github.com/aws/aws-sdk-net-extensions-cognito (AuthenticationCryptoTests.cs: TestAuthenticateUser,
 * TestGetPasswordAuthenticationKey); the claim's time in UTC as https://github.com/aws-amplify/amplify-flutter has it
 */
export const soto = {
  identity: { group: 'poolid', id: 'testuser' },
  password: 'testpassword',
  salt: '8dbcb21f18ae3216',
  a:
    '37981750af33fdf93fc6dce831fe794aba312572e7c33472528' +
    '54e5ce7c7f40343f5ad82f9ad3585c8cb1184c54c562f8317fc' +
    '2924c6c7ade72f1e8d964f606e040c8f9f0b12e3fe6b6828202' +
    'a5e40ca0103e880531921e56de3acc410331b8e5ddcd0dbf249' +
    'bfa104f6b797719613aa50eabcdb40fd5457f64861dd71890eba',
  A:
    'f93b917abccc667f4fac29d1e4c111bcd37d2c37577e7f113ad85030ec6' +
    '157c70dfee728ac4aee9a7631d85a68aec3ef72864b6e8a134f5c5eef89' +
    '40b93bb1db1ada9c1de770db282d644eeb3c551d35ce8de4d2cf98d0d79' +
    '9b6a7f1fe51568d11162ce0cded8246b630169dcfc2d5a43817d52f121b' +
    '3d75ab1a43dc30b7cec02e42e332d5fd781023d9c1fd44f3d1129d21155' +
    '0ce57c004aca95a367592705b517298f724e6314ffbac2425b2beb5095f' +
    '23b75dd3dd232adda700080d7a22a87383d3746d39f6427b7daf2a00683' +
    '038ff7dc099081b2bf43eb5e2e30465487dafb3cc875fdd9b475d46a0ac' +
    '1d07cf928fd11e06c5999596160168fc31228f7f3329d4b873acbf1540a' +
    '16418a3ee5a0a5070a3db558f5cf8cf15388ff0a6e4234bf1de3e5bade8' +
    'e4aa607d633a94a06bee4386c7444e06fd584282b9d576be318f0f20305' +
    '7e80996f79a2bb0a63ad4786d5cc12b1321bd6644e001cee194171f5b04' +
    'fcd65f3f280b6dadabae0401a9ae557ad27939730ce146319aa7f08d1e33',
  B:
    'a0812a0ee3fa8484a73addeb6a9afa145cff1eca2a6b86537a5d15132d' +
    '5811dd088d16e7d581b2798229350e6e473503cebddf19cabd3f14fb34' +
    '50a6858bafc972a29702d8772a22b000a160812a7fe29bcac2c36d43b9' +
    '1c118224626c2f0782d70f79c82ac5183e0d7d8c7b23ad0bda1f4fba94' +
    '1998bfc82e46415e49026bb33f8271cb9a56e69f518e90bc2f4c42c7bb' +
    '27720e25a14dcfbb5176effb3069a2bc627f18ec07a3e4118f61402dda' +
    '56a6da3f331d8c2cf78513d767b2bf040809e5a334c7bb98cb720ef565' +
    '4100cfa57d21155fc7630654964370fd512b30febc6c61bfa3415c7266' +
    '0c5dad3444881d272c3abd7ecec0e483493b1491391bef4348d1c27be7' +
    '00e443301fc856a9d1b6ca36fdc46eec9f3c51f0ea566f5a85c87d395d' +
    '3d9fc2a594945a860841d5b328f1910058b2bb822ac976d961736fac42' +
    'e84b46074762de8b254f37260e3b1da88529dd1060ca52b2dc9de5d773' +
    '72b1d74ea111de406aac964993133a6f172e8fae54eb885e6a3cd774f1' +
    'ca6be98b6ddc35',
  /** Hexadecimal. */
  key: 'b70fad71e9658b24b0ec678774ecca30',
}

const user5 = {
  identity: { group: 'Pj8nlkpKR', id: 'User5' },
  password: 'Password1!',
  salt: 'b704a27deb8cf5efec43a40eac5b60d2',
  a: `${'02'.repeat(1023)}00`,
}

/** A claim that worked at Cognito. */
export const dotNetClaim = {
  ...user5,
  B:
    'f6c76f03232c3a93a634f5e49a74efbfffcd2b81f0dacb2bce0274ae68601b3d42a98feb96ba6a310cc2d4183edac62' +
    'd571d0d220258d8753a80c4f8815a10953a21964f19c824916f46417f46d921d7956bf5c10c63e7b1c84ce6e2bc407b4e0a103a52' +
    '9313f439182c6450ed434d049e0d9dd5da8cf3a1d1f6f2839f55754a7b17444b8c55ff6b13bf63f61e473ad6fad9f4a1a0b2541b2' +
    '00de07c10296d679b36bf683245cee039842ad9579031e26cb0931ac202fe713fa2c64f920a9830722f708d5ede7ab0521363e45f' +
    'b2ad0afefbd65264c39f46d0c4011e2e8dbf8d6c53764719599a359b17bcd4d7e37c76e9e68adde0dc586a29f835a2decab335a49' +
    '408fbc8452d2696743f4465d12748851889d405d7287296e93f9abfb9f11806235bb588e8381a0060a174f5b0959eedba81b94eb3' +
    '83e80465323b1fc85478edcca4b67403a45b73ccbdcd9eaeacebd5f2ca32c7344fdbbc15a2a3d060c2b822851a282370a8dacbbfe' +
    'dbc511376a6e8ad95a5ce28fc2b9c37751c8d4314b9',
  timestamp: 'Thu Jun 15 07:00:00 UTC 2017',
  secretBlock:
    'iZY+s7lYj4/5me1dgBZ9QR0vYOoatfBhec3Rc3kqPFAGIWAwxmaoXkOR1+kEvm0Aic/CxgXe0KHTTZuyKpsMfjbo2' +
    'J2YweeAtj47z6HCgVScBHeJ5il4NUhGJ6ehqWPls5ub233161UU/SxKAZYySbB8NNHIQidPNxEvBycU5gOeO9cOv4dlm3dwSRNFlg8OWJ' +
    'ysI7+ZXUgSWdfUBqog90wkIfLr7HirXnd3axiqpHqAApu4Ls7JFvgXxJa74ZJLtFobED/qSc4ALtRiAPwhKkomxhSXDF1S3dD+LcTQaR0' +
    '/gJY1+p1CuyTCQNBTVz5idOq8NhG/mMupKow7i54xWJp3gWCeRLMRYD5Od/b7QSgtBYZeLT2rDPb6T8oy8qScK4gq+1Ye6KmXTtmdc7XB' +
    'hwtyCk4xA8YBjeXO/Gq3G+rzpqMOS9e8P/EZ1xldkcme0qYesbUiKSVO30N2lPKo3qzWyq6zFi0pINpCiWLD+qdWa9Arofsml2IYgCxZw' +
    'moIRVk8vd/+UdhErVRFdOmMZWQVLki0K09UgrnvLLBcMxc4wq8myUmMivVpxg8vSaexrxGxDVnKZHgfl0jFCEWIYyMvPAspOo9bBT1l+o' +
    'QlVpf6RPKWlxgE4JSiWd9LD3PMdtETsyrWv1IxtktyzGI27UVanj0gGfesM56/FNImaxh+eoTBq4fJWxvfN0FvB90Ib/ZV+oJZ3jj8pKr' +
    'ZmDohutOQZqEIP5mme3UMGbkeF1zVnBuPT/Ujyb94RayMB4qvqnZap87o8gJ4iv0yp+HMAAxvPSvYJSr/dny/jEdsWM8aKU+a9+n3aMPo' +
    '/97DSIyiw2E3jcorR2emlichUHqdwDg/GAACUMTmV6peecDdhuF/KNZXBF4GEsoutDzPSsaXnQ11qKejULZt//fQ/e5JzWbUVhWXBOiRr' +
    '4JmbPdmWo9WIORrg/yrAlSe9RNnJOW+OCsAKLZYEHfuueUQYaxOpBTst+YQXzbwNYyX47H8nUDVXRLiA0zAoQHeTMXN8lL688MTICEUNa' +
    'JW9QWjrNIaTPic0oJ6CxVM/ayd8qv28EQ9BhyyE5yEreC9y+bpUQjTwxe62H/j0NiMsE5806dhx2RzxBlEYl51hs1aqwpQ6NGn51bwZPZ' +
    '5O7YitLyYdAoEdTo0hCXTKF2ITbSy8ZDv5cxQSv5zyXeHRfa/o1GSHWPawy3lYjHChVVj/ALBjpFVPJJwByQZqgXsrvuknWk7QFAi21ac' +
    'Qxm/4pqPVtFNVW7yZ51FawlQu6rKKfu1kyTJ6CKlcdXuJFv/NxQLPLq/to4b0UHNaD/mymwr0GSEn9GxpVB4fjhL4L2BRxCpt4lfLtx1K' +
    'MiTivUMIhrVShnrgUy2mpd/jooMsSf17GSvCYReg9dsaqvZXqbEMv6P2BX+RNXicLSfeDO9NyZhtuWZxyLJ5IlagOpVNbtGb/HCEQy+zF' +
    '8ySzho6e8vHxNodJX+xwCxRyKl6wbEdSEulWgm5WaUmsfySrNqLKassfrTdKLHyWUvjbWucEFzS0ddu+Q7j5RGaZ4MO7Qf1hN57WUE7ir' +
    'wXBc9UoAWI3Sggb+oDDuVKN5PMF6cL+3/yfetGX0Wrh9tk34z5pizLmOgqOqkMW5yFDqw8/pRqQA4Qo+VrpHL1a4vANgmOHw98918pFiC' +
    'G5lacOQn4FmA2QGWfNxU72qy6MLPnTgN/olShAFNFgckIn2F',
  /** Base64. */
  signature: 'QwHbbUqF6DSSepJh2QqTWDCb1XjmqaxnnW5kDn5dz7E=',
}

export const dotNetKey = {
  ...user5,
  B:
    '8d340308265ada665b1b2c730fb65ff0b6dc746b63c2d7e9f08b8aa9306d4848268bc0c17ee4a2999173ca62af59fd74b' +
    'a5d00f16c96bea082b163f2c3a0b745455d62cb9577425b4b5d4dadba163a8e7759a7c0256795f464682770588c84e82f2c63d47017' +
    '51476da8e8a7b1a131e78560fe7b56b6761fcef88dcc486f403369a0cac2f04c25ed6d5e08b5a2f488500a0d5af4972cfa1213bfca3' +
    '7bbae189c8d58465b13193204f21ea01d267c7688e6e6cb5d3f5a8005db680d272308ee823816032dd2c8fc3b95b6fd0a742feb127e' +
    '3d094cd002a5e6b209415ff82f6abf50d5da43910a0336e9a6fc33dd101bf13f22f13fcb3ea3809aae4917d7c426fb8c0a894030c75' +
    'd3e15f0e1078a9d89e5154391cde6111ac14fab9fa3b3a880da7dbd47fd5a055937581d26b5d225c076e82f980dcbd77b3950d270d8' +
    'b622dca9c9bcd8fd6435a59b9690b3c9e2bdabf58cae3420c19066abc420145b1b66f226a6493c96588c2d53b637798fcaa573379f2' +
    '251848065fe1fafb68ed5e79135e9',
  /** Hexadecimal of base64 LmbBsy/4chqMRYOhmtmCrA==. */
  key: Buffer.from('LmbBsy/4chqMRYOhmtmCrA==', 'base64').toString('hex'),
}

/** What of a published run makes an exchange. */
export interface Run {
  readonly identity: { readonly group: string; readonly id: string }
  readonly password: string
  readonly salt: string
  readonly a: string
  readonly B: string
}
