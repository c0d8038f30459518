<?xml version="1.0" encoding="UTF-8"?>
<StyledLayerDescriptor version="1.0.0" xmlns="http://www.opengis.net/sld" xmlns:ogc="http://www.opengis.net/ogc">
  <NamedLayer>
    <Name>stations</Name>
    <UserStyle>
      <FeatureTypeStyle>
        <Rule>
          <Title>A</Title>
          <ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>tier</ogc:PropertyName><ogc:Literal>A</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter>
          <PointSymbolizer><Graphic><Mark><WellKnownName>circle</WellKnownName><Fill><CssParameter name="fill">#7b1d6d</CssParameter></Fill><Stroke><CssParameter name="stroke">#1d1b26</CssParameter></Stroke></Mark><Size>16</Size></Graphic></PointSymbolizer>
        </Rule>
        <Rule>
          <Title>B</Title>
          <ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>tier</ogc:PropertyName><ogc:Literal>B</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter>
          <PointSymbolizer><Graphic><Mark><WellKnownName>circle</WellKnownName><Fill><CssParameter name="fill">#f8a07e</CssParameter></Fill><Stroke><CssParameter name="stroke">#1d1b26</CssParameter></Stroke></Mark><Size>13</Size></Graphic></PointSymbolizer>
        </Rule>
        <Rule>
          <Title>C</Title>
          <ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>tier</ogc:PropertyName><ogc:Literal>C</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter>
          <PointSymbolizer><Graphic><Mark><WellKnownName>circle</WellKnownName><Fill><CssParameter name="fill">#ffffff</CssParameter></Fill><Stroke><CssParameter name="stroke">#1d1b26</CssParameter></Stroke></Mark><Size>8</Size></Graphic></PointSymbolizer>
        </Rule>
        <Rule>
          <Title>insufficient data</Title>
          <ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>tier</ogc:PropertyName><ogc:Literal>insufficient data</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter>
          <PointSymbolizer><Graphic><Mark><WellKnownName>circle</WellKnownName><Fill><CssParameter name="fill">#ffffff</CssParameter></Fill><Stroke><CssParameter name="stroke">#1d1b26</CssParameter></Stroke></Mark><Size>5</Size></Graphic></PointSymbolizer>
        </Rule>
      </FeatureTypeStyle>
    </UserStyle>
  </NamedLayer>
</StyledLayerDescriptor>
