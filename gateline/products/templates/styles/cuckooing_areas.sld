<?xml version="1.0" encoding="UTF-8"?>
<StyledLayerDescriptor version="1.0.0" xmlns="http://www.opengis.net/sld" xmlns:ogc="http://www.opengis.net/ogc">
  <NamedLayer>
    <Name>cuckooing_areas</Name>
    <UserStyle>
      <FeatureTypeStyle>
        <Rule>
          <Title>1</Title>
          <ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>band</ogc:PropertyName><ogc:Literal>1</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter>
          <PolygonSymbolizer><Fill><CssParameter name="fill">#3949ab</CssParameter><CssParameter name="fill-opacity">0.32</CssParameter></Fill><Stroke><CssParameter name="stroke">#3949ab</CssParameter></Stroke></PolygonSymbolizer>
        </Rule>
        <Rule>
          <Title>2</Title>
          <ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>band</ogc:PropertyName><ogc:Literal>2</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter>
          <PolygonSymbolizer><Fill><CssParameter name="fill">#3949ab</CssParameter><CssParameter name="fill-opacity">0.49</CssParameter></Fill><Stroke><CssParameter name="stroke">#3949ab</CssParameter></Stroke></PolygonSymbolizer>
        </Rule>
        <Rule>
          <Title>3</Title>
          <ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>band</ogc:PropertyName><ogc:Literal>3</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter>
          <PolygonSymbolizer><Fill><CssParameter name="fill">#3949ab</CssParameter><CssParameter name="fill-opacity">0.66</CssParameter></Fill><Stroke><CssParameter name="stroke">#3949ab</CssParameter></Stroke></PolygonSymbolizer>
        </Rule>
        <Rule>
          <Title>4</Title>
          <ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>band</ogc:PropertyName><ogc:Literal>4</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter>
          <PolygonSymbolizer><Fill><CssParameter name="fill">#3949ab</CssParameter><CssParameter name="fill-opacity">0.83</CssParameter></Fill><Stroke><CssParameter name="stroke">#3949ab</CssParameter></Stroke></PolygonSymbolizer>
        </Rule>
      </FeatureTypeStyle>
    </UserStyle>
  </NamedLayer>
</StyledLayerDescriptor>
