using LoggingService.Options;

namespace LoggingService.Registration;

/// <summary>The <c>namespaces</c> of a registration, checked.</summary>
internal sealed class RegistrationNamespaces
{
    /// <summary>Reads the three namespaces.</summary>
    /// <exception cref="ConfigurationException">One is of a wrong shape, or has a pattern that can't be used.</exception>
    internal RegistrationNamespaces(YamlNode node)
    {
        Node = node.Kind == YamlKind.Mapping ? node
            : throw node.Mistake($"is {node.Kind.InWords()}, and must be a mapping with users, rooms and aliases");
        Users = Read("users");
        Rooms = Read("rooms");
        Aliases = Read("aliases");
    }

    internal YamlNode Node { get; }

    internal List<NamespacePattern> Users { get; }

    internal List<NamespacePattern> Rooms { get; }

    internal List<NamespacePattern> Aliases { get; }

    private List<NamespacePattern> Read(string key) =>
        Node.Has(key, out var list) ? [.. list.AsList().Select(Entry)] : [];

    private static NamespacePattern Entry(YamlNode entry)
    {
        if (entry.Kind != YamlKind.Mapping)
        {
            throw entry.Mistake($"is {entry.Kind.InWords()}, and must be a mapping like {{exclusive: false, regex: \"#logged_.*\"}}");
        }

        var regex = entry.Required("regex", "add the regular expression");
        var python = regex.AsString();
        entry.Required("exclusive", "add exclusive: false").AsBoolean();
        try
        {
            return new NamespacePattern(python);
        }
        catch (ArgumentException e)
        {
            throw regex.Mistake($"\"{python}\" can't be used: {e.Message}");
        }
    }
}
