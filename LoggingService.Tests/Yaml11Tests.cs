using LoggingService.Registration;

namespace LoggingService.Tests;

public sealed class Yaml11Tests
{
    // The kinds are what PyYAML 6.0.3 answered.
    [Theory]
    [InlineData("yes", nameof(YamlKind.Boolean))]
    [InlineData("No", nameof(YamlKind.Boolean))]
    [InlineData("ON", nameof(YamlKind.Boolean))]
    [InlineData("off", nameof(YamlKind.Boolean))]
    [InlineData("y", nameof(YamlKind.String))]
    [InlineData("Y", nameof(YamlKind.String))]
    [InlineData("true", nameof(YamlKind.Boolean))]
    [InlineData("TRUE", nameof(YamlKind.Boolean))]
    [InlineData("tRue", nameof(YamlKind.String))]
    [InlineData("null", nameof(YamlKind.Null))]
    [InlineData("Null", nameof(YamlKind.Null))]
    [InlineData("~", nameof(YamlKind.Null))]
    [InlineData("123", nameof(YamlKind.Integer))]
    [InlineData("0x1f", nameof(YamlKind.Integer))]
    [InlineData("012", nameof(YamlKind.Integer))]
    [InlineData("089", nameof(YamlKind.String))]
    [InlineData("1_000", nameof(YamlKind.Integer))]
    [InlineData("0b11", nameof(YamlKind.Integer))]
    [InlineData("12:34:56", nameof(YamlKind.Integer))]
    [InlineData("12:99", nameof(YamlKind.String))]
    [InlineData("1:30.5", nameof(YamlKind.Float))]
    [InlineData("1e5", nameof(YamlKind.String))]
    [InlineData("1.5e+3", nameof(YamlKind.Float))]
    [InlineData("1.5e3", nameof(YamlKind.String))]
    [InlineData(".5", nameof(YamlKind.Float))]
    [InlineData(".", nameof(YamlKind.String))]
    [InlineData(".inf", nameof(YamlKind.Float))]
    [InlineData("-.INF", nameof(YamlKind.Float))]
    [InlineData(".nan", nameof(YamlKind.Float))]
    [InlineData("2024-01-01", nameof(YamlKind.Timestamp))]
    [InlineData("2024-1-1", nameof(YamlKind.String))]
    [InlineData("2024-01-01T00:00:00Z", nameof(YamlKind.Timestamp))]
    [InlineData("0o17", nameof(YamlKind.String))]
    [InlineData("+1", nameof(YamlKind.Integer))]
    [InlineData("-0", nameof(YamlKind.Integer))]
    [InlineData("1.2.3", nameof(YamlKind.String))]
    [InlineData("=", nameof(YamlKind.Refused))]
    [InlineData("<<", nameof(YamlKind.Refused))]
    [InlineData("abc", nameof(YamlKind.String))]
    [InlineData("_1", nameof(YamlKind.String))]
    [InlineData("0_", nameof(YamlKind.Integer))]
    [InlineData("08", nameof(YamlKind.String))]
    public void An_unquoted_value_is_to_us_what_it_is_to_Synapse(string plain, string kind) =>
        Assert.Equal(kind, Yaml11.KindOf(plain).ToString());
}
