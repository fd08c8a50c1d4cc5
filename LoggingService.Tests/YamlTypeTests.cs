using LoggingService.Options;
using LoggingService.Registration;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The types of YAML 1.1, which the homeserver reads.</summary>
public sealed class YamlTypeTests : IDisposable
{
    private readonly TempFolder _folder = TempFolder.ForCaller();

    public void Dispose() => _folder.Dispose();

    // The types are those that PyYAML 6.0.3 resolves.
    [Theory]
    [InlineData("yes", "a boolean")]
    [InlineData("No", "a boolean")]
    [InlineData("ON", "a boolean")]
    [InlineData("off", "a boolean")]
    [InlineData("true", "a boolean")]
    [InlineData("TRUE", "a boolean")]
    [InlineData("123", "a number")]
    [InlineData("0x1f", "a number")]
    [InlineData("012", "a number")]
    [InlineData("1_000", "a number")]
    [InlineData("0b11", "a number")]
    [InlineData("1.5e+3", "a number")]
    [InlineData(".5", "a number")]
    [InlineData(".inf", "a number")]
    [InlineData("-.INF", "a number")]
    [InlineData(".nan", "a number")]
    [InlineData("+1", "a number")]
    [InlineData("-0", "a number")]
    [InlineData("0_", "a number")]
    [InlineData("1:30", "a number")]
    [InlineData("+190:20:30", "a number")]
    [InlineData("0:30.5", "a number")]
    [InlineData("=", "a special key")]
    [InlineData("<<", "a special key")]
    [InlineData("2024-01-01", "a date")]
    [InlineData("2024-01-01T00:00:00Z", "a date")]
    public void An_unquoted_value_that_is_not_a_string_in_YAML_1_1_must_be_quoted(string plain, string type) =>
        Assert.Equal(
            $"{_folder["x.yaml"]}:1: id is {type} in YAML 1.1 and must be a string: put it in double quotes",
            ErrorOf(plain));

    [Theory]
    [InlineData("null")]
    [InlineData("Null")]
    [InlineData("~")]
    [InlineData("")]
    public void A_null_is_not_a_string(string plain) =>
        Assert.Equal(
            $"{_folder["x.yaml"]}:1: id is null or empty: put a string in double quotes (without them, # starts a comment)",
            ErrorOf(plain));

    [Theory]
    [InlineData("y")]
    [InlineData("Y")]
    [InlineData("089")]
    [InlineData("08")]
    [InlineData("12:99")]
    [InlineData("0:30")]
    [InlineData("1e5")]
    [InlineData("1.5e3")]
    [InlineData(".")]
    [InlineData("2024-1-1")]
    [InlineData("0o17")]
    [InlineData("1.2.3")]
    [InlineData("abc")]
    [InlineData("_1")]
    [InlineData("!!str 123")]
    [InlineData("'123'")]
    [InlineData("\"yes\"")]
    public void A_value_that_is_a_string_in_YAML_1_1_is_read(string yaml) =>
        Assert.Equal(yaml.Replace("!!str ", "").Trim('\'', '"'), Read(yaml));

    private string ErrorOf(string yaml) => Assert.Throws<ConfigurationException>(() => Read(yaml)).Message;

    private string Read(string yaml)
    {
        File.WriteAllText(_folder["x.yaml"], $"id: {yaml}\n");
        return YamlFile.Read(_folder["x.yaml"]).Require("id", "").AsString();
    }
}
