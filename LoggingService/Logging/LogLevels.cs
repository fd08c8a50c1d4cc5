namespace LoggingService.Logging;

/// <summary>The section <c>Logging</c> of the settings on top of the defaults. It can be replaced while the service runs.</summary>
internal sealed class LogLevels : ConfigurationProvider
{
    private const string Name = "Logging";

    private static readonly Dictionary<string, string?> Defaults = new()
    {
        ["Logging:LogLevel:Microsoft"] = nameof(LogLevel.Warning),
        ["Logging:LogLevel:Microsoft.AspNetCore.Diagnostics"] = nameof(LogLevel.Critical),
        ["Logging:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics"] = nameof(LogLevel.Warning),
        ["Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks"] = nameof(LogLevel.Critical),
        [$"Logging:LogLevel:{ServiceLog.Host}"] = nameof(LogLevel.Critical),
        ["Logging:LogLevel:Microsoft.Hosting.Lifetime"] = nameof(LogLevel.Warning),
        ["Logging:LogLevel:System.Net.Http"] = nameof(LogLevel.Warning),
    };

    public LogLevels() => Section = new ConfigurationRoot([this]).GetSection(Name);

    /// <summary>For the logger factory, which watches it.</summary>
    public IConfiguration Section { get; }

    public void Replace(IConfiguration settings)
    {
        var levels = new Dictionary<string, string?>(Defaults, StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in settings.GetSection(Name).AsEnumerable())
        {
            if (value is not null)
            {
                levels[key] = value;
            }
        }

        Data = levels;
        OnReload();
    }
}
