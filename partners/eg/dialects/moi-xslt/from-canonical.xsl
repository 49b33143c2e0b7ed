<?xml version="1.0" encoding="UTF-8"?>
<!-- Canonical message to form: a group becomes a section, a field a line. Days are written DD/MM/YYYY, sex by one letter, truth values as words. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:r="urn:readmission-gateway:readmission:1.0" xmlns="urn:readmission-gateway:dialect:eg:moi:1" exclude-result-prefixes="r">
  <xsl:output method="xml" encoding="UTF-8"/>
  <xsl:strip-space elements="*"/>

  <xsl:template match="/*" priority="2">
    <xsl:element name="{local-name()}Form">
      <xsl:attribute name="edition"><xsl:value-of select="@schemaVersion"/></xsl:attribute>
      <xsl:apply-templates/>
    </xsl:element>
  </xsl:template>

  <xsl:template match="*[*]">
    <Section><xsl:call-template name="title"/><xsl:apply-templates/></Section>
  </xsl:template>

  <xsl:template match="*[not(*)]">
    <Line><xsl:call-template name="title"/><xsl:value-of select="."/></Line>
  </xsl:template>

  <xsl:template match="r:Sex" priority="1">
    <Line title="Sex">
      <xsl:choose>
        <xsl:when test=". = 'male'">M</xsl:when>
        <xsl:when test=". = 'female'">F</xsl:when>
        <xsl:when test=". = 'other'">O</xsl:when>
        <xsl:otherwise>U</xsl:otherwise>
      </xsl:choose>
    </Line>
  </xsl:template>

  <!-- A year, or year and month alone, is written as it is: it has no day to put first. -->
  <xsl:template match="r:Date | r:IssueDate | r:ExpiryDate | r:HeldOn | r:SearchedOn | r:ErasedOn | r:PaidOn | r:PayBy" priority="1">
    <Line>
      <xsl:call-template name="title"/>
      <xsl:choose>
        <xsl:when test="string-length(.) = 10">
          <xsl:value-of select="concat(substring(., 9, 2), '/', substring(., 6, 2), '/', substring(., 1, 4))"/>
        </xsl:when>
        <xsl:otherwise><xsl:value-of select="."/></xsl:otherwise>
      </xsl:choose>
    </Line>
  </xsl:template>

  <xsl:template match="r:InterviewRequested | r:InterviewProposed | r:ConsentGiven | r:CareNeeded | r:Indicated | r:ReturnsWillingly | r:Escorted" priority="1">
    <Line>
      <xsl:call-template name="title"/>
      <xsl:choose>
        <xsl:when test=". = 'true'">Yes</xsl:when>
        <xsl:when test=". = 'false'">No</xsl:when>
        <xsl:otherwise><xsl:value-of select="."/></xsl:otherwise>
      </xsl:choose>
    </Line>
  </xsl:template>

  <!-- The title of the printed form: its own words for some, otherwise the canonical name with a blank before each capital. -->
  <xsl:template name="title">
    <xsl:attribute name="title">
      <xsl:choose>
        <xsl:when test="local-name() = 'Header'">Cover Sheet</xsl:when>
        <xsl:when test="local-name() = 'MessageId'">Sheet Number</xsl:when>
        <xsl:when test="local-name() = 'Sender'">From</xsl:when>
        <xsl:when test="local-name() = 'Recipient'">To</xsl:when>
        <xsl:when test="local-name() = 'Created'">Written At</xsl:when>
        <xsl:when test="local-name() = 'NationalReference'">File Number</xsl:when>
        <xsl:when test="local-name() = 'Sequence'">Sheet of the Case</xsl:when>
        <xsl:when test="local-name() = 'Sha256'">Fingerprint</xsl:when>
        <xsl:when test="local-name() = 'Person'">Person Concerned</xsl:when>
        <xsl:when test="local-name() = 'AsShown'">As Written</xsl:when>
        <xsl:when test="local-name() = 'Latin'">In Latin Letters</xsl:when>
        <xsl:when test="local-name() = 'HeightCm'">Height in Centimetres</xsl:when>
        <xsl:when test="local-name() = 'Observations'">Notes</xsl:when>
        <xsl:when test="local-name() = 'At'">Day and Hour</xsl:when>
        <xsl:when test="local-name() = 'Means'">By</xsl:when>
        <xsl:when test="local-name() = 'BorderPoint'">Port of Entry</xsl:when>
        <xsl:when test="local-name() = 'Escorts'">Number of Escorts</xsl:when>
        <xsl:when test="local-name() = 'Signatory'">Signed By</xsl:when>
        <xsl:otherwise>
          <xsl:call-template name="apart"><xsl:with-param name="name" select="local-name()"/></xsl:call-template>
        </xsl:otherwise>
      </xsl:choose>
    </xsl:attribute>
  </xsl:template>

  <xsl:template name="apart">
    <xsl:param name="name"/>
    <xsl:param name="begun" select="false()"/>
    <xsl:variable name="sign" select="substring($name, 1, 1)"/>
    <xsl:if test="$begun and translate($sign, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '') = ''"><xsl:text> </xsl:text></xsl:if>
    <xsl:value-of select="$sign"/>
    <xsl:if test="string-length($name) &gt; 1">
      <xsl:call-template name="apart">
        <xsl:with-param name="name" select="substring($name, 2)"/>
        <xsl:with-param name="begun" select="true()"/>
      </xsl:call-template>
    </xsl:if>
  </xsl:template>
</xsl:stylesheet>
