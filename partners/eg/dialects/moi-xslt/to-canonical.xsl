<?xml version="1.0" encoding="UTF-8"?>
<!-- Form to canonical message: the way back of from-canonical.xsl. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:m="urn:readmission-gateway:dialect:eg:moi:1" xmlns:r="urn:readmission-gateway:readmission:1.0" exclude-result-prefixes="m r">
  <xsl:output method="xml" encoding="UTF-8"/>
  <xsl:strip-space elements="m:*"/>
  <xsl:preserve-space elements="m:Line"/>

  <xsl:template match="/*">
    <xsl:element name="{substring-before(concat(local-name(), '|'), 'Form|')}" namespace="urn:readmission-gateway:readmission:1.0">
      <xsl:attribute name="schemaVersion"><xsl:value-of select="@edition"/></xsl:attribute>
      <xsl:apply-templates select="m:*"/>
    </xsl:element>
  </xsl:template>

  <xsl:template match="m:Section">
    <xsl:variable name="name"><xsl:call-template name="name"/></xsl:variable>
    <xsl:element name="{$name}" namespace="urn:readmission-gateway:readmission:1.0"><xsl:apply-templates select="m:*"/></xsl:element>
  </xsl:template>

  <xsl:template match="m:Line">
    <xsl:variable name="name"><xsl:call-template name="name"/></xsl:variable>
    <xsl:element name="{$name}" namespace="urn:readmission-gateway:readmission:1.0"><xsl:apply-templates select="." mode="value"/></xsl:element>
  </xsl:template>

  <xsl:template match="m:Line" mode="value"><xsl:value-of select="."/></xsl:template>

  <xsl:template match="m:Line[@title = 'Sex']" mode="value">
    <xsl:choose>
      <xsl:when test=". = 'M'">male</xsl:when>
      <xsl:when test=". = 'F'">female</xsl:when>
      <xsl:when test=". = 'O'">other</xsl:when>
      <xsl:when test=". = 'U'">unknown</xsl:when>
      <xsl:otherwise><xsl:message terminate="yes">no such code</xsl:message></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template mode="value" match="m:Line[@title = 'Date' or @title = 'Issue Date' or @title = 'Expiry Date' or @title = 'Held On' or @title = 'Searched On' or @title = 'Erased On' or @title = 'Paid On' or @title = 'Pay By']">
    <xsl:choose>
      <xsl:when test="string-length(.) = 10">
        <xsl:if test="not(substring(., 3, 1) = '/' and substring(., 6, 1) = '/')"><xsl:message terminate="yes">no day</xsl:message></xsl:if>
        <xsl:value-of select="concat(substring(., 7, 4), '-', substring(., 4, 2), '-', substring(., 1, 2))"/>
      </xsl:when>
      <xsl:otherwise><xsl:value-of select="."/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template mode="value" match="m:Line[@title = 'Interview Requested' or @title = 'Interview Proposed' or @title = 'Consent Given' or @title = 'Care Needed' or @title = 'Indicated' or @title = 'Returns Willingly' or @title = 'Escorted']">
    <xsl:choose>
      <xsl:when test=". = 'Yes'">true</xsl:when>
      <xsl:when test=". = 'No'">false</xsl:when>
      <xsl:otherwise><xsl:value-of select="."/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- The canonical name of a title. -->
  <xsl:template name="name">
    <xsl:choose>
      <xsl:when test="@title = 'Cover Sheet'">Header</xsl:when>
      <xsl:when test="@title = 'Sheet Number'">MessageId</xsl:when>
      <xsl:when test="@title = 'From'">Sender</xsl:when>
      <xsl:when test="@title = 'To'">Recipient</xsl:when>
      <xsl:when test="@title = 'Written At'">Created</xsl:when>
      <xsl:when test="@title = 'File Number'">NationalReference</xsl:when>
      <xsl:when test="@title = 'Sheet of the Case'">Sequence</xsl:when>
      <xsl:when test="@title = 'Fingerprint'">Sha256</xsl:when>
      <xsl:when test="@title = 'Person Concerned'">Person</xsl:when>
      <xsl:when test="@title = 'As Written'">AsShown</xsl:when>
      <xsl:when test="@title = 'In Latin Letters'">Latin</xsl:when>
      <xsl:when test="@title = 'Height in Centimetres'">HeightCm</xsl:when>
      <xsl:when test="@title = 'Notes'">Observations</xsl:when>
      <xsl:when test="@title = 'Day and Hour'">At</xsl:when>
      <xsl:when test="@title = 'By'">Means</xsl:when>
      <xsl:when test="@title = 'Port of Entry'">BorderPoint</xsl:when>
      <xsl:when test="@title = 'Number of Escorts'">Escorts</xsl:when>
      <xsl:when test="@title = 'Signed By'">Signatory</xsl:when>
      <xsl:otherwise><xsl:value-of select="translate(@title, ' ', '')"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
</xsl:stylesheet>
