using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace LoggingService.Registration;

/// <summary>
/// A value of a YAML file with its position, so that an error is one line: file, line, key and what to do. Scalars have the
/// types of YAML 1.1, which the homeserver's PyYAML reads: <c>on</c> is a boolean, <c>1_000</c> a number. The key is the
/// path of keys, such as <c>namespaces.aliases[0].regex</c>, and empty for the document. A value of another type than asked
/// for is a <see cref="ConfigurationException"/>, which doesn't repeat the value: it may be a secret.
/// </summary>
internal sealed partial record YamlValue(string File, string Key, YamlNode Node)
{
    private const string Boolean = "a boolean";
    private const string Null = "null";
    private const string String = "a string";

    // as_token is no misspelled hs_token.
    private static readonly string[] KnownKeys =
    [
        "id", "url", "as_token", "hs_token", "sender_localpart", "rate_limited", "namespaces", "users", "rooms", "aliases", "exclusive",
        "regex",
    ];

    public bool IsBoolean => Type == Boolean;

    public string Type => Node switch
    {
        YamlMappingNode => "a mapping",
        YamlSequenceNode => "a list",
        YamlScalarNode { Style: ScalarStyle.Plain, Tag.IsEmpty: true } => PlainType(Text),
        _ => String,
    };

    private string Text => ((YamlScalarNode)Node).Value ?? "";

    /// <summary>The value of a key of this mapping; <c>null</c> if the key is missing.</summary>
    public YamlValue? Find(string key)
    {
        var child = ((YamlMappingNode)Node).Children.FirstOrDefault(child => (child.Key as YamlScalarNode)?.Value == key);
        return child.Value is null ? null : Child(Key.Length == 0 ? key : $"{Key}.{key}", child.Value);
    }

    /// <exception cref="ConfigurationException">The key is missing or misspelled; the message ends with the hint.</exception>
    public YamlValue Require(string key, string hint)
    {
        if (Find(key) is { } value)
        {
            return value;
        }

        RejectMisspelled(key);
        throw Key.Length == 0 ? new ConfigurationException($"{File}: {key} is missing: {hint}") : Error($"has no {key}: {hint}");
    }

    /// <exception cref="ConfigurationException">The mapping does not have this key, but one that is almost the same.</exception>
    public void RejectMisspelled(string key)
    {
        if (Find(key) is not null)
        {
            return;
        }

        var unknown = ((YamlMappingNode)Node).Children.Keys.OfType<YamlScalarNode>().Where(other => !KnownKeys.Contains(other.Value));
        if (unknown.FirstOrDefault(other => NearestName.Find(other.Value ?? "", [key]) is not null) is { Value: { } name } misspelled)
        {
            var path = Key.Length == 0 ? name : $"{Key}.{name}";
            throw (this with { Key = path, Node = misspelled }).Error($"is not a key of a registration. Did you mean {key}?");
        }
    }

    public string AsString() => Type switch
    {
        String => Text,
        Null => throw Error("is null or empty: put a string in double quotes (without them, # starts a comment)"),
        _ when Node is YamlScalarNode => throw Error($"is {Type} in YAML 1.1 and must be a string: put it in double quotes"),
        _ => throw Error($"is {Type} and must be a string"),
    };

    public bool AsBoolean() => IsBoolean
        ? Text.ToLowerInvariant() is "yes" or "true" or "on"
        : throw Error($"is {Type} and must be true or false{(Type == String ? ", without quotes" : "")}");

    public YamlValue AsMapping(string example)
    {
        var mapping = Node as YamlMappingNode ?? throw Error($"is {Type} and must be a mapping such as {example}");
        var merge = mapping.Children.Keys.FirstOrDefault(key => key is YamlScalarNode { Style: ScalarStyle.Plain, Value: "<<" });
        var error = "has the merge key <<, which isn't supported: list the merged keys instead";
        return merge is null ? this : throw (this with { Node = merge }).Error(error);
    }

    public IReadOnlyList<YamlValue> AsList() => Node is YamlSequenceNode list
        ? [.. list.Select((item, index) => Child($"{Key}[{index}]", item))]
        : throw Error($"is {Type} and must be a list (an empty one is [])");

    public RegistrationWarning Warning(string reason) => new($"{File}:{Node.Start.Line}", Key.Length > 0 ? Key : "the document", reason);

    public ConfigurationException Error(string reason) => new(Warning(reason).ToString());

    private YamlValue Child(string key, YamlNode node)
    {
        var child = new YamlValue(File, key, node);
        return node.Tag.IsEmpty || node.Tag.Value == "tag:yaml.org,2002:str"
            ? child
            : throw child.Error("starts with !, a tag in YAML: put it in double quotes");
    }

    private static string PlainType(string text) => text.ToLowerInvariant() switch
    {
        "" or "~" or "null" => Null,
        "yes" or "no" or "true" or "false" or "on" or "off" => Boolean,
        "=" or "<<" => "a special key",
        _ when Number().IsMatch(text) => "a number",
        _ when Date().IsMatch(text) => "a date",
        _ => String,
    };

    [GeneratedRegex(
        @"\A[-+]?(?:0b[01_]+|0x[0-9a-f_]+|0[0-7_]*|[1-9][0-9_]*(?::[0-5]?[0-9])*|[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|"
            + @"(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:e[-+][0-9]+)?|\.inf|\.nan)\z",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Number();

    [GeneratedRegex(@"\A[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt \t].*)?\z")]
    private static partial Regex Date();
}
