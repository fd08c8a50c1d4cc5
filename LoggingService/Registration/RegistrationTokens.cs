using System.Text;

namespace LoggingService.Registration;

/// <summary>
/// The tokens in use. After <c>rotate-tokens</c> the homeserver has the previous ones until it is restarted with the new registration:
/// both are accepted, and the service sends the one that the homeserver accepts, until a request arrives with the new hs_token.
/// </summary>
internal sealed partial class RegistrationTokens
{
    private readonly string _logs;
    private readonly ILogger<RegistrationTokens> _logger;
    private readonly Lock _lock = new();
    private volatile State _state;

    /// <exception cref="ConfigurationException">The previous tokens can't be read.</exception>
    public RegistrationTokens(AppServiceRegistration registration, LoggingServiceOptions options, ILogger<RegistrationTokens> logger)
    {
        _logs = options.Logs;
        _logger = logger;
        _state = ReadState(registration);
    }

    /// <summary>The hs_token of the registration.</summary>
    public string HsToken => _state.Current.HsToken;

    /// <summary>Whether the homeserver accepts an as_token of before a rotation, after a call has succeeded.</summary>
    public bool UsesPreviousAsToken => _state is { AsTokens: var asTokens, Current.AsToken: var current } && asTokens[0] != current;

    /// <summary>The as_tokens that the homeserver may know, in the order in which they are to be tried.</summary>
    public IReadOnlyList<string> AsTokens => _state.AsTokens;

    /// <summary>Whether all tokens of a request are right. A request with the new hs_token ends the use of the previous tokens.</summary>
    public bool Accepts(IReadOnlyCollection<string> hsTokens)
    {
        var state = _state;
        var areRight = true;
        var areCurrent = true;
        foreach (var token in hsTokens.Select(Encoding.UTF8.GetBytes))
        {
            // All are compared, so that the time does not tell which one is right.
            var isCurrent = state.Current.HasHsToken(token);
            var isRight = isCurrent;
            foreach (var previous in state.Previous)
            {
                isRight |= previous.HasHsToken(token);
            }

            areRight &= isRight;
            areCurrent &= isCurrent;
        }

        if (areRight && areCurrent && state.Previous.Count > 0)
        {
            EndRotation();
        }

        return areRight;
    }

    /// <summary>Remembers which as_token the homeserver accepts: it is tried first from now on.</summary>
    public void Prefer(string asToken)
    {
        if (_state.AsTokens[0] == asToken)
        {
            return;
        }

        lock (_lock)
        {
            if (_state.AsTokens.Contains(asToken))
            {
                _state = _state with { AsTokens = [asToken, .. _state.AsTokens.Where(other => other != asToken)] };
            }
        }
    }

    /// <summary>Takes over the tokens of a registration that was read again; returns whether they are others.</summary>
    /// <exception cref="ConfigurationException">The previous tokens can't be read.</exception>
    public bool Reload(AppServiceRegistration registration)
    {
        lock (_lock)
        {
            var (before, read) = (_state, ReadState(registration));
            if (read.Current.IsSameAs(before.Current))
            {
                return false;
            }

            _state = read;
            return true;
        }
    }

    private State ReadState(AppServiceRegistration registration)
    {
        var current = new TokenPair(registration.AsToken, registration.HsToken);
        var previous = PreviousTokens.Read(_logs).Where(tokens => !tokens.IsSameAs(current)).Reverse().ToList();

        // The homeserver is restarted last: until then it has the previous token.
        return new(current, previous, [.. previous.Select(tokens => tokens.AsToken).Append(current.AsToken).Distinct()]);
    }

    private void EndRotation()
    {
        lock (_lock)
        {
            var state = _state;
            if (state.Previous.Count == 0)
            {
                return;
            }

            _state = new(state.Current, [], [state.Current.AsToken]);
            try
            {
                PreviousTokens.Remove(_logs, state.Previous);
                Log.RotationEnded(_logger);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ConfigurationException)
            {
                Log.PreviousNotRemoved(_logger, Path.Combine(_logs, PreviousTokens.FileName), e.Message);
            }
        }
    }

    /// <summary>Replaced as a whole. Its text would contain tokens: it must not be logged.</summary>
    private sealed record State(TokenPair Current, IReadOnlyList<TokenPair> Previous, IReadOnlyList<string> AsTokens);

    private static partial class Log
    {
        [LoggerMessage(EventIds.RotationEnded, LogLevel.Information,
            "The homeserver uses the new tokens of the registration; the previous ones are no longer accepted")]
        public static partial void RotationEnded(ILogger logger);

        [LoggerMessage(EventIds.PreviousTokensNotRemoved, LogLevel.Error,
            "The homeserver uses the new tokens, but {File} with the previous ones can't be removed: {Reason}. Remove it.")]
        public static partial void PreviousNotRemoved(ILogger logger, string file, string reason);
    }
}
