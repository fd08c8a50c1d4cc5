using LoggingService.Homeserver;
using LoggingService.Http;
using LoggingService.Registration;

namespace LoggingService.Cli;

/// <summary>
/// Reads the settings and the registration again while the service runs. All or nothing: after an error the previous settings stay.
/// </summary>
internal sealed partial class SettingsReload(
    SettingsAtStart start, LoggingServiceOptions options, AppServiceRegistration registration, RegistrationTokens tokens, LogLevels levels,
    HomeserverClient homeserver, IHostApplicationLifetime lifetime, ILogger<SettingsReload> logger)
{
    private const string Section = "LoggingService:";
    private const string Levels = "Logging:";
    private readonly Lock _lock = new();

    /// <summary>The values in effect.</summary>
    private readonly Dictionary<string, string> _inEffect = new(start.Values, StringComparer.OrdinalIgnoreCase);

    private IConfigurationRoot _last = start.Settings;

    public void Run()
    {
        lock (_lock)
        {
            try
            {
                Reload();
            }
            catch (Exception e) when (e is FatalException or IOException or UnauthorizedAccessException)
            {
                Log.NotReloaded(logger, e.Message);
            }
        }
    }

    private void Reload()
    {
        IConfigurationRoot read = SettingsSources.CreateBuilder(start.Arguments).Configuration;
        var readOptions = LoggingServiceOptions.Read(read);
        ServiceLogOptions.Read(read);
        ListenAddress.CheckAll(read);
        var readRegistration = RegistrationReader.Read(options.Registration);

        var hasNewTokens = tokens.Reload(readRegistration);

        // From here on nothing fails.
        options.Reload(readOptions);
        levels.Replace(read);
        var (reloaded, others) = TakeChanges(read);
        if (hasNewTokens)
        {
            reloaded.Add($"{options.Registration}: as_token and hs_token");
            _ = PingAsync();
        }

        Log.Reloaded(logger, reloaded.Count > 0 ? string.Join(", ", reloaded) : "no change");
        StartupMessages.LogLimits(logger, options);
        others.AddRange(registration.FindChangedKeys(readRegistration).Select(key => $"{options.Registration}: {key}"));
        if (others.Count > 0)
        {
            Log.RestartNeeded(logger, string.Join(", ", others));
        }
    }

    /// <summary>Makes a homeserver that has the new tokens already, and was refused, send its events at once.</summary>
    private async Task PingAsync()
    {
        try
        {
            await homeserver.PingAsync(lifetime.ApplicationStopping);
        }
        catch (Exception e) when (e is HomeserverException or OperationCanceledException)
        {
            // It sends them later.
        }
    }

    /// <summary>The names of the settings that differ from those in effect. The reloaded ones are in effect from now on.</summary>
    private (List<string> Reloaded, List<string> Others) TakeChanges(IConfigurationRoot read)
    {
        var values = SettingsAtStart.ReadValues(read);
        var changed = values.Keys.Union(_inEffect.Keys, StringComparer.OrdinalIgnoreCase)
            .Where(key => values.GetValueOrDefault(key) != _inEffect.GetValueOrDefault(key))
            .ToLookup(IsReloaded);
        var (reloaded, others) = (NamesOf(changed[true], read, values, _last), NamesOf(changed[false], read, values, start.Settings));
        _last = read;
        foreach (var key in changed[true])
        {
            if (values.TryGetValue(key, out var value))
            {
                _inEffect[key] = value;
            }
            else
            {
                _inEffect.Remove(key);
            }
        }

        return (reloaded, others);
    }

    /// <summary>Each setting where it was given; a removed one where it was given before.</summary>
    private static List<string> NamesOf(
        IEnumerable<string> keys, IConfigurationRoot read, Dictionary<string, string> values, IConfigurationRoot before) =>
    [
        .. keys.Order(StringComparer.OrdinalIgnoreCase)
            .Select(key => SettingReader.NameOf(values.ContainsKey(key) ? read : before, SettingOf(key)))
            .Distinct(),
    ];

    private static bool IsReloaded(string key) =>
        key.StartsWith(Levels, StringComparison.OrdinalIgnoreCase)
        || LoggingServiceOptions.ReloadedKeys.Select(reloaded => Section + reloaded)
            .Contains(SettingOf(key), StringComparer.OrdinalIgnoreCase);

    /// <summary>The setting that a value belongs to: for one of a list, the list.</summary>
    private static string SettingOf(string key) =>
        key.StartsWith(Section, StringComparison.OrdinalIgnoreCase) ? string.Join(':', key.Split(':').Take(2)) : key;

    private static partial class Log
    {
        [LoggerMessage(EventIds.SettingsReloaded, LogLevel.Information, "Reloaded the settings: {Changed}")]
        public static partial void Reloaded(ILogger logger, string changed);

        [LoggerMessage(EventIds.RestartNeeded, LogLevel.Warning, "Changes that need a restart of the service: {Settings}")]
        public static partial void RestartNeeded(ILogger logger, string settings);

        [LoggerMessage(EventIds.SettingsNotReloaded, LogLevel.Error, "Failed to reload the settings; the previous ones stay: {Reason}")]
        public static partial void NotReloaded(ILogger logger, string reason);
    }
}

/// <summary>The settings with which the service was started.</summary>
/// <param name="Arguments">Those on the command line.</param>
/// <param name="Settings">All of them.</param>
internal sealed record SettingsAtStart(string[] Arguments, IConfigurationRoot Settings)
{
    /// <summary>The values before the web server adds the address of the registration.</summary>
    public IReadOnlyDictionary<string, string> Values { get; } = ReadValues(Settings);

    /// <summary>The values of all settings. Empty ones are left out: they mean the default.</summary>
    public static Dictionary<string, string> ReadValues(IConfigurationRoot settings) =>
        SettingsSources.Sections
            .SelectMany(section => settings.GetSection(section).AsEnumerable())
            .Where(setting => !string.IsNullOrEmpty(setting.Value))
            .ToDictionary(setting => setting.Key, setting => setting.Value!, StringComparer.OrdinalIgnoreCase);
}
