using System.Collections;

namespace LoggingService.Options;

/// <summary>The environment variables that are, or were meant to be, settings of the service.</summary>
internal static class EnvironmentSettings
{
    private const string Section = "LoggingService";

    // Of the host: the service's settings may have them, too.
    private static readonly string[] Prefixes = ["", "ASPNETCORE_", "DOTNET_"];

    /// <summary>The name of the variable that sets a key, in the case in which it was given.</summary>
    public static string VariableOf(string path)
    {
        var name = path.Replace(":", "__", StringComparison.Ordinal);
        var candidates = Prefixes.Select(prefix => prefix + name).ToList();
        return Names().FirstOrDefault(given => candidates.Contains(given, StringComparer.OrdinalIgnoreCase)) ?? name;
    }

    /// <summary>
    /// Rejects misspelled variables: those that begin with <c>LoggingService…__</c>, or mean a setting. All others are another program's,
    /// also <c>LOGGINGSERVICE_PORT</c> and the like, which Kubernetes sets for a service of this name.
    /// </summary>
    /// <exception cref="ConfigurationException">A variable is misspelled.</exception>
    public static void RejectMisspelled(IReadOnlyDictionary<string, IReadOnlyList<string>> keysBySection)
    {
        foreach (var name in Names().Order(StringComparer.Ordinal))
        {
            if (FindIntended(name, keysBySection) is { } intended)
            {
                throw new ConfigurationException($"{name} is not a setting. Did you mean {intended}?");
            }
        }
    }

    /// <returns>The right name of a variable that is misspelled; <c>null</c> for a right one, and for one that is none of ours.</returns>
    private static string? FindIntended(string name, IReadOnlyDictionary<string, IReadOnlyList<string>> keysBySection)
    {
        var separator = name.IndexOf("__", StringComparison.Ordinal);
        if (separator < 0)
        {
            // LOGGINGSERVICE_RETAINDAYS
            var meaning = NearestName.Normalize(name);
            var key = keysBySection[Section].FirstOrDefault(key => meaning == NearestName.Normalize(Section + key));
            return key is null ? null : $"{Section}__{key}";
        }

        var given = name[..separator];
        if (keysBySection.Keys.Contains(given, StringComparer.OrdinalIgnoreCase))
        {
            // Its keys are checked with those of the other sources.
            return null;
        }

        var rest = name[(separator + 2)..];
        var first = rest.Split("__")[0];
        if (given.StartsWith(Section, StringComparison.OrdinalIgnoreCase))
        {
            return $"{Section}__{NearestName.Find(first, keysBySection[Section]) ?? rest}";
        }

        var section = NearestName.Find(given, keysBySection.Keys);
        return section is not null && NearestName.Find(first, keysBySection[section]) is { } found ? $"{section}__{found}" : null;
    }

    private static IEnumerable<string> Names() => Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(e => (string)e.Key);
}
