using System.Diagnostics.CodeAnalysis;
using LoggingService.Options;

namespace LoggingService.Registration;

/// <summary>One value of a YAML file, with where it stands, so that what is wrong with it can be told in one line.</summary>
/// <param name="File">The file's path, as it is shown.</param>
/// <param name="Line">The line, from 1 on.</param>
/// <param name="Name">The keys that lead here, like <c>namespaces.aliases[0].regex</c>; empty for the whole file.</param>
/// <param name="Kind">What it is; a scalar's as YAML 1.1 has it.</param>
internal sealed record YamlNode(string File, long Line, string Name, YamlKind Kind)
{
    /// <summary>A scalar's text; empty for others.</summary>
    public string Text { get; init; } = "";

    /// <summary>A list's values; empty for others.</summary>
    public IReadOnlyList<YamlNode> Items { get; init; } = [];

    /// <summary>A mapping's values by their keys; empty for others.</summary>
    public IReadOnlyDictionary<string, YamlNode> Members { get; init; } = new Dictionary<string, YamlNode>();

    /// <summary>A key's value, if the key is there.</summary>
    public bool Has(string key, [NotNullWhen(true)] out YamlNode? value) => Members.TryGetValue(key, out value);

    /// <summary>A key's value.</summary>
    /// <param name="key">The key.</param>
    /// <param name="whatFor">What is told where it is missing.</param>
    /// <exception cref="ConfigurationException">The key is missing.</exception>
    public YamlNode Required(string key, string whatFor) => Has(key, out var value) ? value
        : throw (Name.Length == 0
            ? MistakeIn(File, null, $"{key} is missing: {whatFor}")
            : Mistake($"has no {key}: {whatFor}"));

    /// <summary>The text of what must be a string.</summary>
    /// <exception cref="ConfigurationException">It is none, as PyYAML reads it; the value isn't repeated, it may be a secret.</exception>
    public string AsString() => Kind switch
    {
        YamlKind.String => Text,
        YamlKind.Null when Text.Length == 0 =>
            throw Mistake("is empty: give it a string between double quotes (without them, # begins a comment)"),
        YamlKind.List or YamlKind.Mapping => throw Mistake($"is {Kind.InWords()}, and must be a string"),
        _ => throw Mistake($"is {Kind.InWords()} to the homeserver, which reads YAML 1.1, and must be a string: put it between double quotes"),
    };

    /// <summary>The value of what must be a boolean; YAML 1.1's <c>yes</c> and <c>on</c> are.</summary>
    /// <exception cref="ConfigurationException">It is none.</exception>
    public bool AsBoolean() => Kind == YamlKind.Boolean ? Yaml11.IsTrue(Text)
        : throw Mistake($"is {Kind.InWords()}, and must be true or false{(Kind == YamlKind.String ? ", without quotes" : "")}");

    /// <summary>The values of what must be a list.</summary>
    /// <exception cref="ConfigurationException">It is none.</exception>
    public IReadOnlyList<YamlNode> AsList() => Kind == YamlKind.List ? Items
        : throw Mistake($"is {Kind.InWords()}, and must be a list (an empty one is [])");

    /// <summary>A line about this value: file, line, key, and what is wrong.</summary>
    public string Remark(string what) => RemarkIn(File, Line, Name.Length == 0 ? what : $"{Name} {what}");

    /// <summary><see cref="Remark"/>, to throw.</summary>
    public ConfigurationException Mistake(string what) => new(Remark(what));

    /// <summary>A line about a file, or about one line of it.</summary>
    public static string RemarkIn(string file, long? line, string what) =>
        (line is null ? $"{file}: {what}" : $"{file}:{line}: {what}").ReplaceLineEndings(" ");

    /// <summary><see cref="RemarkIn"/>, to throw.</summary>
    public static ConfigurationException MistakeIn(string file, long? line, string what) => new(RemarkIn(file, line, what));
}
