using System.CommandLine;
using LoggingService.Registration;

namespace LoggingService.Cli;

/// <summary>
/// The command <c>create-registration</c>, for an installation in which the service itself must not write to the registration's folder.
/// </summary>
internal static class CreateRegistrationCommand
{
    /// <param name="readOptions">Reads the settings.</param>
    public static Command Create(Func<ParseResult, LoggingServiceOptions> readOptions)
    {
        var url = new Option<string>("--url")
        {
            HelpName = "URL",
            Description = $"Address at which the homeserver reaches the service [default: {RegistrationGenerator.DefaultUrl}]",
            DefaultValueFactory = _ => RegistrationGenerator.DefaultUrl,
        };
        var command = new Command("create-registration", "Creates the registration with new tokens, as the first start does, and exits.");
        SettingOption.AddTo(command, "--registration");
        command.Add(url);
        command.SetAction(parsed =>
        {
            if (!HttpUrl.TryParse(parsed.GetRequiredValue(url), out var address, out var error))
            {
                throw new ConfigurationException($"--url {error}: use one such as {RegistrationGenerator.DefaultUrl}");
            }

            var path = readOptions(parsed).Registration;
            RegistrationGenerator.Write(path, address.AbsoluteUri.TrimEnd('/'));
            StartupMessages.WriteNextSteps(path);
        });
        return command;
    }
}
