using System.Text.RegularExpressions;

namespace LoggingService.Registration;

/// <summary>What a YAML value is.</summary>
internal enum YamlKind
{
    String,
    Boolean,
    Integer,
    Float,
    Timestamp,
    Null,

    /// <summary>A lone <c>=</c> or <c>&lt;&lt;</c>, for which PyYAML refuses the whole file.</summary>
    Refused,
    List,
    Mapping,
}

/// <summary>
/// What PyYAML, with which Synapse reads the registration, takes an unquoted scalar for. It follows YAML 1.1, where
/// <c>on</c> is a boolean and <c>1_000</c> a number; the readers of .NET follow 1.2, so they are not asked.
/// The expressions are those of PyYAML 6's <c>resolver.py</c>.
/// </summary>
internal static partial class Yaml11
{
    /// <summary>The kind of an unquoted scalar.</summary>
    internal static YamlKind KindOf(string plain) => plain switch
    {
        "" or "~" or "null" or "Null" or "NULL" => YamlKind.Null,
        "=" or "<<" => YamlKind.Refused,
        _ when Boolean().IsMatch(plain) => YamlKind.Boolean,
        _ when Float().IsMatch(plain) => YamlKind.Float,
        _ when Integer().IsMatch(plain) => YamlKind.Integer,
        _ when Timestamp().IsMatch(plain) => YamlKind.Timestamp,
        _ => YamlKind.String,
    };

    /// <summary>The value of a scalar of kind <see cref="YamlKind.Boolean"/>.</summary>
    internal static bool IsTrue(string boolean) => boolean.ToLowerInvariant() is "yes" or "true" or "on";

    /// <summary>The kind in words, for a mistake.</summary>
    internal static string InWords(this YamlKind kind) => kind switch
    {
        YamlKind.String => "a string",
        YamlKind.Boolean => "a boolean",
        YamlKind.Integer or YamlKind.Float => "a number",
        YamlKind.Timestamp => "a date",
        YamlKind.Null => "null",
        YamlKind.List => "a list",
        YamlKind.Mapping => "a mapping",
        _ => "a special sign",
    };

    [GeneratedRegex(@"\A(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)\z")]
    private static partial Regex Boolean();

    [GeneratedRegex(
        @"\A(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"
        + @"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\z")]
    private static partial Regex Float();

    [GeneratedRegex(
        @"\A(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+"
        + @"|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)\z")]
    private static partial Regex Integer();

    [GeneratedRegex(
        @"\A(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}"
        + @"(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)\z")]
    private static partial Regex Timestamp();
}
