"""``aams train``: trains the self-attention autoencoder on a folder of photographs."""
import argparse
import json
import pathlib

from .logs import import_tensorflow_quietly, show_progress_messages


def setting(text):
    """``name=value`` to (name, value); the value is JSON, or else a plain string."""
    name, equals, value = text.partition('=')
    if not (name and equals):
        raise argparse.ArgumentTypeError(f'{text!r} is not of the form NAME=VALUE')
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def add_parser(subparsers):
    parser = subparsers.add_parser(
        'train', help='train the network on a folder of photographs',
        description='Trains attention and decoder on a folder of photographs, or (recipe '
                    'stylization) the decoder on photographs and paintings. A run that was '
                    'stopped goes on when it is started again with the same --work-dir, which '
                    'at every checkpoint holds a model directory that can be used. Several GPUs '
                    'are used if there are any, several machines if TF_CONFIG names them.')
    parser.add_argument('--dataset', required=True, metavar='DIR', type=pathlib.Path,
                        help='folder of photographs, searched to any depth')
    parser.add_argument('--recipe', default='reconstruction', metavar='NAME|FILE',
                        help="hyper-parameters: 'reconstruction' (ours, the default), then with "
                             "--initial 'attention' and after it 'stylization'; 'published'; or "
                             'a JSON file')
    parser.add_argument('--set', action='append', default=[], type=setting, dest='settings',
                        metavar='NAME=VALUE',
                        help='another value for a setting of the recipe, such as '
                             'optimiser.rate=1e-3; may be repeated')
    parser.add_argument('--work-dir', default='training', metavar='DIR', type=pathlib.Path,
                        help='folder for state, TensorBoard log and weights (default: training)')
    parser.add_argument('--validation', metavar='DIR', type=pathlib.Path,
                        help='folder of photographs held out, for the PSNR at each checkpoint')
    parser.add_argument('--styles', metavar='DIR', type=pathlib.Path,
                        help="folder of paintings, for the recipe 'stylization'")
    parser.add_argument('--encoder', metavar='FILE', type=pathlib.Path,
                        help='weights to take the encoder from (default: the bundled weights)')
    parser.add_argument('--initial', metavar='FILE', type=pathlib.Path,
                        help='whole weights to start from, in place of fresh ones')
    parser.set_defaults(run=run, usage_error=parser.error)


def run(arguments):
    from modelscope_aams.training.recipe import load_recipe
    try:
        recipe = load_recipe(arguments.recipe, dict(arguments.settings))
    except ValueError as error:
        arguments.usage_error(str(error))
    if arguments.encoder and arguments.initial:
        arguments.usage_error('--encoder and --initial exclude each other')
    if recipe.stylization and not (arguments.initial and arguments.styles):
        arguments.usage_error('a recipe with stylization needs --styles and --initial')

    show_progress_messages()
    import_tensorflow_quietly()
    from modelscope_aams.training.loop import Trainer
    from modelscope_aams.training.weights import network_builder

    trainer = Trainer(network_builder(recipe, arguments.encoder, arguments.initial), recipe,
                      arguments.dataset, arguments.work_dir, arguments.validation,
                      arguments.styles)
    score = trainer.train()
    if trainer.is_chief:
        print(f'weights: {trainer.weights_path}')
        if score is not None:
            print(f'psnr_db: {score:.3f}')
